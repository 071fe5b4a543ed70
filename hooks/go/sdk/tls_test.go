package outrigger

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// certificate writes a certificate that vouches for itself, for server and client, with its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hook"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", certificate), write("key.pem", "PRIVATE KEY", encoded)
}

func TestOnlyClientsOfTheTrustAnchorAreServed(t *testing.T) {
	certFile, keyFile := certificate(t)
	strangeCert, strangeKey := certificate(t)
	options := &Options{
		Listen: "https://127.0.0.1:0", TLSCertFile: certFile, TLSKeyFile: keyFile, TLSTrustAnchor: certFile,
	}
	endpoint, err := options.endpoint()
	if err != nil {
		t.Fatal(err)
	}
	config, err := tlsConfig(endpoint, options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := endpoint.bind()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- newServer(&fakeEngine{callout: answer}, options).offer(ctx, listener, credentials.NewTLS(config))
	}()
	load := func(certFile, keyFile string) error {
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		theirs := &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: config.ClientCAs, MinVersion: tls.VersionTLS12}
		conn, err := grpc.NewClient(listener.endpoint.address, grpc.WithTransportCredentials(credentials.NewTLS(theirs)))
		if err != nil {
			t.Fatal(err)
		}
		_, failure := hooksv1.NewCalloutsClient(conn).Load(t.Context(), &hooksv1.LoadRequest{})
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		return failure
	}
	if err := load(certFile, keyFile); err != nil {
		t.Errorf("a client with a certificate: %v", err)
	}
	if err := load(strangeCert, strangeKey); err == nil {
		t.Error("a stranger is served")
	}
	stop()
	if err := wait(t, "the end", ended); err != nil {
		t.Error(err)
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	certFile, keyFile := certificate(t)
	for _, options := range []*Options{
		{TLSCertFile: keyFile, TLSKeyFile: keyFile},
		{TLSCertFile: certFile, TLSKeyFile: keyFile, TLSTrustAnchor: keyFile},
		{TLSCertFile: certFile, TLSKeyFile: keyFile, TLSTrustAnchor: filepath.Dir(keyFile)},
	} {
		_, err := tlsConfig(Endpoint{tls: true}, options)
		if err == nil || !strings.Contains(err.Error(), filepath.Dir(keyFile)) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}
