package outrigger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const (
	// keepaliveInterval and keepaliveTimeout: a peer that vanished without a word is noticed after both.
	keepaliveInterval = 10 * time.Second
	keepaliveTimeout  = 5 * time.Second
	// keepaliveLeast is how often a peer may ask whether the service is there. A server of ours asks every 5 s.
	keepaliveLeast = time.Second
	// streamWindow and connectionWindow are the windows of HTTP/2. One session carries everything, so the protocol's
	// 64 KiB would limit a far-away server.
	streamWindow     = 1 << 20
	connectionWindow = 4 << 20
	// maxStreams is how many sessions and single calls one connection may have open; further ones wait at the client.
	maxStreams = 1024
	// streamWorkers is how many goroutines wait for streams. Stacks that have grown already make single calls cheaper.
	streamWorkers   = 64
	defaultTakeover = time.Millisecond
	// farewell is how long the last bytes of a service that stops have to get out.
	farewell = 250 * time.Millisecond
)

var errStopping = status.Error(codes.Unavailable, "the service is about to stop")

// callouts is what the transport needs of the service: an *engine.
type callouts interface {
	start(ctx context.Context) error
	stop(ctx context.Context) error
	load(ctx context.Context, request *hooksv1.LoadRequest) *hooksv1.LoadReply
	isLoaded(server string, revision uint64) bool
	run(ctx context.Context, server string, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply
}

// server is a service on its endpoint.
type server struct {
	hooksv1.UnimplementedCalloutsServer

	engine     callouts
	log        *slog.Logger
	readiness  *Readiness
	metrics    metrics
	stuckAfter time.Duration
	grace      time.Duration
	// takeover is how long the calls of a batch are run one after the other.
	takeover time.Duration
	// maxStuck is how many stuck callouts are the end of the process.
	maxStuck int
	// givenUp is closed when there are as many.
	givenUp chan struct{}
	giveUp  sync.Once
	// singles is how many calls outside sessions are open; workers run them.
	singles atomic.Int64
	workers workers
	// draining is closed when the service is to stop.
	draining chan struct{}

	mu sync.Mutex
	// active is how many sessions and single calls are open.
	active int
	// idle is closed when there are none and the service is to stop.
	idle    chan struct{}
	isIdle  bool
	isEnded bool
}

func newServer(engine callouts, options *Options) *server {
	s := &server{
		engine: engine, log: slog.Default(), stuckAfter: options.StuckAfter, grace: options.Grace,
		takeover: defaultTakeover,
		maxStuck: runtime.GOMAXPROCS(0),
		givenUp:  make(chan struct{}), draining: make(chan struct{}), idle: make(chan struct{}),
	}
	if s.stuckAfter == 0 {
		s.stuckAfter = defaultStuckAfter
	}
	if s.grace == 0 {
		s.grace = defaultGrace
	}
	return s
}

// Serve offers a service until ctx is done. Then the health check says NOT_SERVING, every session is told to drain, open
// calls are finished within the grace period, and the socket is removed.
//
// Its errors: a *UsageError for options that are wrong; ErrStuck when the process has to be replaced; else what is wrong
// with the service, its Start or Stop, or its endpoint.
func Serve(ctx context.Context, service Service, options Options) error {
	endpoint, err := options.endpoint()
	if err != nil {
		return err
	}
	engine, err := newEngine(service)
	if err != nil {
		return err
	}
	server := newServer(engine, &options)
	server.readiness = service.Readiness
	return server.serve(ctx, endpoint, &options)
}

// inputOutputError is about endpoints and files.
type inputOutputError struct{ error }

func (e inputOutputError) Unwrap() error { return e.error }

// serve listens first, so that nothing is started where that is in vain.
func (s *server) serve(ctx context.Context, endpoint Endpoint, options *Options) (err error) {
	config, err := tlsConfig(endpoint, options)
	if err != nil {
		return inputOutputError{err}
	}
	listener, err := endpoint.bind()
	if err != nil {
		return inputOutputError{err}
	}
	defer listener.remove(s.log)
	closeMetrics, err := s.offerMetrics(options.Metrics)
	if err != nil {
		return inputOutputError{err}
	}
	defer closeMetrics()
	if err := s.engine.start(ctx); err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	defer func() {
		// ctx is over; Stop has the time that calls had.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
		defer cancel()
		if failure := s.engine.stop(ctx); failure != nil {
			err = errors.Join(err, fmt.Errorf("cannot stop properly: %w", failure))
		}
	}()
	transport := credentials.TransportCredentials(nil)
	if config != nil {
		transport = credentials.NewTLS(config)
	}
	return s.offer(ctx, listener, transport)
}

// offer answers until ctx is done, then drains.
func (s *server) offer(ctx context.Context, listener *bound, transport credentials.TransportCredentials) error {
	rpc := grpc.NewServer(serverOptions(transport)...)
	hooksv1.RegisterCalloutsServer(rpc, s)
	health := health.NewServer()
	grpc_health_v1.RegisterHealthServer(rpc, health)
	s.readiness.watch(func(ready bool) {
		status := grpc_health_v1.HealthCheckResponse_SERVING
		if !ready {
			status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
		}
		for _, name := range []string{"", hooksv1.Callouts_ServiceDesc.ServiceName} {
			health.SetServingStatus(name, status)
		}
	})
	reflection.Register(rpc)
	serving := make(chan error, 1)
	go func() { serving <- rpc.Serve(listener) }()
	s.log.Info("listening", "endpoint", listener.endpoint.String())
	var reason error
	select {
	case err := <-serving:
		return inputOutputError{fmt.Errorf("cannot serve on %s: %w", listener.endpoint, err)}
	case <-s.givenUp:
		reason = ErrStuck
	case <-ctx.Done():
	}
	s.log.Info("draining", "sessions", s.metrics.sessions.Load())
	health.Shutdown()
	s.drain(rpc)
	// It was told to stop, so that is no error.
	<-serving
	s.workers.close()
	s.log.Info("stopped", "endpoint", listener.endpoint.String())
	return reason
}

// drain lets sessions and calls come to their end within the grace period, then ends what there is.
func (s *server) drain(rpc *grpc.Server) {
	s.beginDrain()
	over := time.NewTimer(s.grace)
	defer over.Stop()
	select {
	case <-s.idle:
	case <-over.C:
		s.log.Warn("the grace period is over; the rest is cut off", "sessions", s.metrics.sessions.Load())
	}
	// Streams of health checks and reflection may stay open for ever, so this has a limit too.
	cut := time.AfterFunc(farewell, rpc.Stop)
	defer cut.Stop()
	rpc.GracefulStop()
}

func serverOptions(transport credentials.TransportCredentials) []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(hookpoints.MaxMessage),
		grpc.MaxSendMsgSize(hookpoints.MaxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connectionWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveInterval, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveLeast, PermitWithoutStream: true}),
	}
	if transport != nil {
		options = append(options, grpc.Creds(transport))
	}
	return options
}

// enter counts a session or a call. late: it is answered even when the service is about to stop.
func (s *server) enter(late bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isEnded && !late {
		return false
	}
	s.active++
	return true
}

func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	s.lookIdle()
}

func (s *server) beginDrain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isEnded = true
	close(s.draining)
	s.lookIdle()
}

func (s *server) lookIdle() {
	if s.isEnded && s.active == 0 && !s.isIdle {
		s.isIdle = true
		close(s.idle)
	}
}

// Load makes the service ready for one configuration of one server.
func (s *server) Load(ctx context.Context, request *hooksv1.LoadRequest) (*hooksv1.LoadReply, error) {
	if !s.enter(false) {
		return nil, errStopping
	}
	defer s.leave()
	reply := s.engine.load(ctx, request)
	if loaded := reply.GetLoaded(); loaded != nil {
		loaded.Sessions = true
		loaded.MaxInFlight = maxInFlight
	}
	return reply, nil
}

// offerMetrics offers /metrics on address, unless that is empty.
func (s *server) offerMetrics(address string) (closeMetrics func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot offer metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.writeMetrics)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: keepaliveTimeout, WriteTimeout: keepaliveInterval}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Warn("metrics are no longer offered", "error", err)
		}
	}()
	s.log.Info("metrics", "address", listener.Addr().String())
	return func() {
		if err := server.Close(); err != nil {
			s.log.Warn("cannot close the endpoint of the metrics", "error", err)
		}
	}, nil
}

func (s *server) writeMetrics(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if err := s.metrics.write(response); err != nil {
		s.log.Debug("the metrics were not read to their end", "error", err)
	}
}
