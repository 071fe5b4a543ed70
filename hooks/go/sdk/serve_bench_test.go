package outrigger

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// inFlight is how many calls the benchmarks have open.
const inFlight = 64

// quiet has nothing logged while b runs.
func quiet(b *testing.B) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	b.Cleanup(func() { slog.SetDefault(before) })
}

func benchRequest(id uint64) *hooksv1.CalloutRequest {
	call := request(id)
	call.Arguments = &hooksv1.Arguments{Point: &hooksv1.Arguments_Subnet4Select{
		Subnet4Select: &hooksv1.Subnet4SelectArguments{
			Query:    &hooksv1.Packet4{Options: []*hooksv1.Option{{Code: 60, Data: []byte("phone 7")}, {Code: 12, Data: []byte("desk")}}},
			SubnetId: 1, SubnetIds: []uint32{1, 2},
		},
	}}
	return call
}

// BenchmarkSession is calls in batches of 64 on one session, client included.
func BenchmarkSession(b *testing.B) {
	quiet(b)
	s := serveTest(b, answer, nil)
	session := s.session(b)
	requests := make([]*hooksv1.CalloutRequest, inFlight)
	for i := range requests {
		requests[i] = benchRequest(uint64(i))
	}
	b.ReportAllocs()
	for done := 0; b.Loop(); {
		if done == 0 {
			session.calls(requests...)
			done = inFlight
		}
		session.reply()
		done--
	}
}

// BenchmarkUnary is calls of their own, 64 of them open at a time, client included.
func BenchmarkUnary(b *testing.B) {
	quiet(b)
	s := serveTest(b, answer, nil)
	tokens := make(chan struct{})
	var group sync.WaitGroup
	for range inFlight {
		group.Go(func() {
			call := benchRequest(1)
			for range tokens {
				if _, err := s.client.Call(context.Background(), call); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		tokens <- struct{}{}
	}
	close(tokens)
	group.Wait()
}

// BenchmarkBatch is what a batch of 64 costs without a transport; an operation is one call.
func BenchmarkBatch(b *testing.B) {
	s := newServer(&fakeEngine{callout: answer}, &Options{})
	requests := make([]*hooksv1.CalloutRequest, inFlight)
	for i := range requests {
		requests[i] = benchRequest(uint64(i))
	}
	o := newOutbox(&s.metrics)
	b.ReportAllocs()
	for done := 0; b.Loop(); done++ {
		if done%inFlight > 0 {
			continue
		}
		o.accept(inFlight)
		batch := newBatch(s, context.Background(), o, "1", requests)
		batch.arm(0)
		go batch.run()
		for taken := 0; taken < inFlight; {
			<-o.wake
			for {
				batch, ok, _ := o.take()
				if !ok {
					break
				}
				taken += batch.count
			}
		}
	}
}
