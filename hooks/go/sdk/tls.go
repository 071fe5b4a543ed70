package outrigger

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// tlsConfig is nil for an endpoint without TLS. With a trust anchor, only clients with a certificate of it may connect.
func tlsConfig(endpoint Endpoint, options *Options) (*tls.Config, error) {
	if !endpoint.tls {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(options.TLSCertFile, options.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w", options.TLSCertFile, options.TLSKeyFile, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2"},
	}
	if options.TLSTrustAnchor == "" {
		return config, nil
	}
	pem, err := os.ReadFile(options.TLSTrustAnchor)
	if err != nil {
		return nil, fmt.Errorf("cannot read the trust anchor: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the trust anchor %s has no certificate in PEM", options.TLSTrustAnchor)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
