package outrigger

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const somePoint = int32(hookpoints.Pkt4Receive)

// large is a reply with a context of so many bytes.
func large(id uint64, bytes int) *hooksv1.CalloutReply {
	reply := result(id)
	reply.GetResult().Context = make([]byte, bytes)
	return reply
}

// sent is the next message as a server decodes it.
func sent(t *testing.T, o *outbox) []*hooksv1.CalloutReply {
	t.Helper()
	batch, ok, _ := o.take()
	if !ok {
		t.Fatal("there is no message")
	}
	encoded, err := newCodec().Marshal(&batch)
	if err != nil {
		t.Fatal(err)
	}
	if encoded.Len() > hookpoints.MaxMessage {
		t.Errorf("a message has %d bytes", encoded.Len())
	}
	var message hooksv1.ServiceMessage
	if err := proto.Unmarshal(encoded.Materialize(), &message); err != nil {
		t.Fatal(err)
	}
	encoded.Free()
	return message.GetReplies().GetReplies()
}

func TestABatchIsBoundedByCountAndByBytes(t *testing.T) {
	o := newOutbox(&metrics{})
	o.accept(400)
	for id := range uint64(300) {
		o.final(somePoint, large(id, 0), false)
	}
	if first, second := sent(t, o), sent(t, o); len(first) != batchReplies || len(second) != 300-batchReplies {
		t.Errorf("batches of %d and %d", len(first), len(second))
	}
	for id := range uint64(100) {
		o.final(somePoint, large(id, 10_000), false)
	}
	replies := sent(t, o)
	if len(replies) != batchBytes/10_020 {
		t.Errorf("a batch of %d", len(replies))
	}
	if last := replies[len(replies)-1]; len(last.GetResult().GetContext()) != 10_000 {
		t.Error("the last one is cut")
	}
}

// answered is a reply with an answer to a control command of so many bytes.
func answered(id uint64, bytes int) *hooksv1.CalloutReply {
	text := strings.Repeat("x", bytes)
	reply := result(id)
	reply.GetResult().Changes = &hooksv1.Changes{CommandResponse: &text}
	return reply
}

func TestAReplyThatNoMessageCanHoldBecomesAFailure(t *testing.T) {
	o := newOutbox(&metrics{})
	o.accept(6)
	o.final(somePoint, large(1, batchBytes+1), false)
	o.final(somePoint, large(2, maxReply), false)
	o.final(int32(hookpoints.Command), answered(3, maxAnswer-20), false)
	o.final(int32(hookpoints.Command), answered(4, maxAnswer), false)
	o.final(int32(hookpoints.CommandProcessed), answered(5, maxAnswer-20), false)
	// What is large is not the answer.
	o.final(int32(hookpoints.Command), large(6, maxReply), false)
	var replies []*hooksv1.CalloutReply
	for len(replies) < 6 {
		replies = append(replies, sent(t, o)...)
	}
	for _, reply := range replies {
		text := reply.GetFailure().GetText()
		if fails := reply.GetId()%2 == 0; fails != strings.Contains(text, "more than a message may have") {
			t.Errorf("reply %d: %q", reply.GetId(), text)
		}
	}
}

func TestAReplyThatCannotBeEncodedBecomesAFailure(t *testing.T) {
	o := newOutbox(&metrics{})
	o.accept(3)
	strange := result(2)
	strange.GetResult().Warning = "\xff"
	o.final(somePoint, large(1, 3), false)
	o.final(somePoint, strange, false)
	o.final(somePoint, large(3, 3), false)
	replies := sent(t, o)
	if len(replies) != 3 || !strings.Contains(replies[1].GetFailure().GetText(), "cannot be encoded") {
		t.Errorf("sent are %v", replies)
	}
}

func TestThePacketsThatAreHeldAreBounded(t *testing.T) {
	o := newOutbox(&metrics{})
	for id := range uint64(maxHeld) {
		o.accept(1)
		if err := o.park(id); err != nil {
			t.Fatal(err)
		}
		if id%batchReplies == 0 {
			o.take()
		}
	}
	if err := o.park(maxHeld); !errors.Is(err, errHeld) {
		t.Errorf("one more is held: %v", err)
	}
	o.final(somePoint, result(7), true)
	if err := o.park(maxHeld); err != nil {
		t.Error(err)
	}
}

func TestRepliesThatNobodyTakesLeaveNoRoom(t *testing.T) {
	o := newOutbox(&metrics{})
	if o.accept(maxInFlight) != maxInFlight || o.hasRoom() {
		t.Fatal("they are not counted")
	}
	for id := range uint64(maxInFlight) {
		o.final(somePoint, result(id), false)
	}
	if o.accept(1) != 0 || o.hasRoom() {
		t.Error("replies that wait do not count")
	}
	if replies := sent(t, o); o.accept(maxInFlight) != len(replies) {
		t.Error("there is other room than was made")
	}
}

func TestASessionIsOverWithItsLastReply(t *testing.T) {
	o := newOutbox(&metrics{})
	o.accept(2)
	if err := o.park(1); err != nil {
		t.Fatal(err)
	}
	o.end()
	o.final(somePoint, result(2), false)
	sent(t, o)
	if _, _, over := o.take(); over {
		t.Error("over, though a packet is held")
	}
	o.final(somePoint, result(1), true)
	sent(t, o)
	if _, ok, over := o.take(); ok || !over {
		t.Error("not over")
	}
}
