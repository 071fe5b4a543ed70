package outrigger

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
)

// What holds where Options say nothing.
const (
	defaultStuckAfter = 10 * time.Second
	defaultGrace      = 5 * time.Second
)

// Options say where and how a service is offered.
type Options struct {
	// Listen is the endpoint: unix:/path, http://host:port or https://host:port.
	Listen string
	// StuckAfter is how long a callout may run on after its time is over before it counts as stuck. 0: 10 s.
	StuckAfter time.Duration
	// Grace is how long the open calls have when the service is to stop. 0: 5 s.
	Grace time.Duration
	// Metrics is where Prometheus gets metrics, HOST:PORT, under /metrics. Empty: nowhere.
	Metrics string
	// TLSCertFile and TLSKeyFile are the service's certificate and its key in PEM; https needs them.
	TLSCertFile, TLSKeyFile string
	// TLSTrustAnchor has the certificates, in PEM, of those who may issue certificates of clients. Empty: any client
	// may connect.
	TLSTrustAnchor string
	// AllowPlaintext allows an http endpoint that other machines reach. Without TLS everybody on the way reads and
	// changes the calls.
	AllowPlaintext bool
	// LogLevel is the least level that Main logs. Serve uses slog.Default as it is.
	LogLevel slog.Level
}

// UsageError says that options or a command line are wrong, and what to write.
type UsageError struct {
	// Text is for the person who wrote them.
	Text string
}

func (e *UsageError) Error() string { return e.Text }

// Flags defines the flags of every hook service on fs: listen, stuck-after, metrics, tls-cert-file, tls-key-file,
// tls-trust-anchor, allow-plaintext, log-level. What is returned has their values once fs is parsed.
func Flags(fs *flag.FlagSet) *Options {
	options := &Options{}
	options.define(fs)
	return options
}

func (o *Options) define(fs *flag.FlagSet) {
	if o.StuckAfter == 0 {
		o.StuckAfter = defaultStuckAfter
	}
	fs.StringVar(&o.Listen, "listen", o.Listen, "`ENDPOINT`: unix:/path, http://host:port or https://host:port")
	fs.Var((*seconds)(&o.StuckAfter), "stuck-after", "`SECONDS` that a callout may run on after its time is over")
	fs.StringVar(&o.Metrics, "metrics", o.Metrics, "offer metrics for Prometheus on `HOST:PORT`")
	fs.StringVar(&o.TLSCertFile, "tls-cert-file", o.TLSCertFile, "the service's certificate, a PEM `FILE`")
	fs.StringVar(&o.TLSKeyFile, "tls-key-file", o.TLSKeyFile, "its key, a PEM `FILE`")
	fs.StringVar(&o.TLSTrustAnchor, "tls-trust-anchor", o.TLSTrustAnchor, "accept clients with a certificate of this PEM `FILE` only")
	fs.BoolVar(&o.AllowPlaintext, "allow-plaintext", o.AllowPlaintext, "allow http:// where other machines reach it")
	fs.TextVar(&o.LogLevel, "log-level", o.LogLevel, "`LEVEL`: debug, info, warn or error")
}

// endpoint is that of Listen, if the other options go with it.
func (o *Options) endpoint() (Endpoint, error) {
	if o.Listen == "" {
		return Endpoint{}, &UsageError{"say where to listen: --listen unix:/path, http://host:port or https://host:port"}
	}
	endpoint, err := ParseEndpoint(o.Listen)
	if err != nil {
		return Endpoint{}, &UsageError{err.Error()}
	}
	hasTLS := o.TLSCertFile != "" || o.TLSKeyFile != "" || o.TLSTrustAnchor != ""
	switch {
	case endpoint.tls && (o.TLSCertFile == "" || o.TLSKeyFile == ""):
		return Endpoint{}, &UsageError{fmt.Sprintf("%s needs --tls-cert-file and --tls-key-file", endpoint)}
	case !endpoint.tls && hasTLS:
		return Endpoint{}, &UsageError{fmt.Sprintf("%s is without TLS: write https://host:port, or leave out the --tls files", endpoint)}
	case !endpoint.tls && !endpoint.isLocal() && !o.AllowPlaintext:
		return Endpoint{}, &UsageError{fmt.Sprintf("%s is open to other machines without TLS: write https://, or say --allow-plaintext", endpoint)}
	case o.StuckAfter < 0 || o.Grace < 0:
		return Endpoint{}, &UsageError{"a time cannot be negative"}
	}
	return endpoint, nil
}

// seconds is a flag: a number of seconds, or a duration as Go writes it.
type seconds time.Duration

func (s *seconds) String() string {
	return strconv.FormatFloat(time.Duration(*s).Seconds(), 'f', -1, 64)
}

func (s *seconds) Set(text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(number) || number > time.Duration(math.MaxInt64).Seconds() {
			return errors.New("write a number of seconds: 10")
		}
		duration = time.Duration(number * float64(time.Second))
	}
	if duration <= 0 {
		return errors.New("it must be more than 0")
	}
	*s = seconds(duration)
	return nil
}
