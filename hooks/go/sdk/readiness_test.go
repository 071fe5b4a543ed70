package outrigger

import (
	"context"
	"testing"

	"google.golang.org/grpc/health/grpc_health_v1"
)

func TestAServiceThatCannotWorkIsNotServing(t *testing.T) {
	readiness := &Readiness{}
	readiness.Set(false)
	r := serveTest(t, answer, func(s *server) { s.readiness = readiness })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := grpc_health_v1.NewHealthClient(r.conn)
	for _, ready := range []bool{false, true, true, false} {
		readiness.Set(ready)
		want := grpc_health_v1.HealthCheckResponse_NOT_SERVING
		if ready {
			want = grpc_health_v1.HealthCheckResponse_SERVING
		}
		for _, name := range []string{"", "outrigger.hooks.v1.Callouts"} {
			reply, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: name})
			if err != nil || reply.GetStatus() != want {
				t.Errorf("ready %v: the health of %q is %v, %v", ready, name, reply, err)
			}
		}
	}
}
