package outrigger

import (
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// session is one stream of calls. Its handler writes; another goroutine reads.
type session struct {
	server *server
	stream grpc.BidiStreamingServer[hooksv1.ServerMessage, hooksv1.ServiceMessage]
	outbox *outbox
	// hello opened the session; nil before it came. Only the reader uses it.
	hello *hooksv1.Hello
	// key is what the engine knows the server by.
	key string
	// broken gets why the reader stopped, where it was no proper end.
	broken chan error
}

// Session is the normal way: many calls on one stream.
func (s *server) Session(stream grpc.BidiStreamingServer[hooksv1.ServerMessage, hooksv1.ServiceMessage]) error {
	if !s.enter(false) {
		return errStopping
	}
	defer s.leave()
	s.metrics.opened.Add(1)
	s.metrics.sessions.Add(1)
	defer s.metrics.sessions.Add(-1)
	session := &session{server: s, stream: stream, outbox: newOutbox(&s.metrics), broken: make(chan error, 1)}
	defer session.outbox.abandon()
	// A client may wait for the headers before it says anything.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	go session.read()
	return session.write()
}

// write sends what is in the outbox until the session is over.
func (s *session) write() error {
	welcome := &hooksv1.ServiceMessage{Message: &hooksv1.ServiceMessage_Welcome{Welcome: &hooksv1.Welcome{}}}
	if err := s.stream.Send(welcome); err != nil {
		return err
	}
	draining := s.server.draining
	for {
		select {
		case <-s.outbox.wake:
		case <-draining:
			draining = nil
			drain := &hooksv1.ServiceMessage{Message: &hooksv1.ServiceMessage_Drain{Drain: &hooksv1.Drain{}}}
			if err := s.stream.Send(drain); err != nil {
				return err
			}
		case err := <-s.broken:
			return err
		case <-s.stream.Context().Done():
			return s.stream.Context().Err()
		}
		over, err := s.writeReplies()
		if over || err != nil {
			return err
		}
	}
}

// writeReplies sends the replies that are there; over: they were the last.
func (s *session) writeReplies() (over bool, err error) {
	for {
		batch, ok, over := s.outbox.take()
		if !ok {
			return over, nil
		}
		if err := s.stream.SendMsg(&batch); err != nil {
			return false, err
		}
	}
}

// read takes calls until no more come, or the stream is broken.
func (s *session) read() {
	err := s.readMessages()
	log := s.server.log
	if err == nil {
		log.Info("session is over", "server", s.hello.GetInstanceId())
		s.outbox.end()
		return
	}
	log.Warn("session is broken off", "server", s.hello.GetInstanceId(), "error", err)
	s.broken <- err
}

func (s *session) readMessages() error {
	for {
		message, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch body := message.GetMessage().(type) {
		case *hooksv1.ServerMessage_Hello:
			if err := s.greet(body.Hello); err != nil {
				return err
			}
		case *hooksv1.ServerMessage_Calls:
			if s.hello == nil {
				return status.Error(codes.InvalidArgument, "a session starts with Hello")
			}
			s.call(body.Calls.GetCalls())
			if err := s.makeRoom(); err != nil {
				return err
			}
		case *hooksv1.ServerMessage_Bye:
			return nil
		default:
			// A kind of message that is younger than this SDK.
		}
	}
}

// greet opens the session for a configuration that is loaded.
func (s *session) greet(hello *hooksv1.Hello) error {
	if s.hello != nil {
		return status.Error(codes.InvalidArgument, "a session has one Hello")
	}
	s.hello = hello
	s.key = serverKey(hello.GetInstanceId(), hello.GetServiceName())
	revision := hello.GetConfigurationRevision()
	if !s.server.engine.isLoaded(s.key, revision) {
		return status.Error(codes.FailedPrecondition, errNotLoaded(revision).Error())
	}
	s.server.log.Info("session is open", "server", hello.GetInstanceId(), "service", hello.GetServiceName(),
		"revision", revision)
	return nil
}

// call starts the calls of one message.
func (s *session) call(requests []*hooksv1.CalloutRequest) {
	s.server.metrics.batch(len(requests))
	accepted := s.outbox.accept(len(requests))
	for _, request := range requests[accepted:] {
		s.server.metrics.point(int32(request.GetHookPoint())).answered(outcomeRefused, 0)
		s.outbox.refuse(failedReply(request.GetId(), textOverloaded))
	}
	if accepted < len(requests) {
		s.outbox.flush()
	}
	if accepted == 0 {
		return
	}
	batch := newBatch(s.server, s.stream.Context(), s.outbox, s.key, requests[:accepted])
	batch.arm(0)
	go batch.run()
}

// makeRoom waits until another call may be open: the server's next messages wait in its own queue.
func (s *session) makeRoom() error {
	for !s.outbox.hasRoom() {
		select {
		case <-s.outbox.room:
		case <-s.stream.Context().Done():
			return s.stream.Context().Err()
		}
	}
	return nil
}

var textOverloaded = fmt.Sprintf("more than %d calls are open", maxInFlight)

// replies is where the replies of calls go.
type replies interface {
	// final adds the last reply of a call; held: it had PARK for its first.
	final(point int32, reply *hooksv1.CalloutReply, held bool)
	// park adds PARK as the first of two replies, if one more packet may be held.
	park(id uint64) error
	// flush has what was added sent.
	flush()
}

// flushAfter is how long replies wait for the rest of their batch of calls.
const flushAfter = 500 * time.Microsecond
