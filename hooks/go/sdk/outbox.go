package outrigger

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec for everything but replies
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const (
	// maxInFlight is how many calls may be open on one session. The server is told.
	maxInFlight = 4096
	// maxHeld is how many packets one session holds at most: as many as it has open calls.
	maxHeld = 4096
	// batchReplies is how many replies one message has at most, so that the first are on their way soon.
	batchReplies = 256
	// batchBytes is how large a message of several replies is at most.
	batchBytes = 256 * 1024
	// maxReply is the largest reply without an answer to a control command. A server ends the session of a larger one.
	maxReply = hookpoints.MaxReply - 64
	// maxAnswer is the largest reply with one: a batch of one still has to fit a message.
	maxAnswer = hookpoints.MaxMessage - 64
)

// Field numbers of ServiceMessage.replies and ReplyBatch.replies.
const (
	fieldReplies = 2
	fieldReply   = 1
)

var errHeld = errors.New("too many packets are held on this session")

// outbox collects what a session has to tell its server. Everything that finished while the previous write was in
// flight goes into the next one.
type outbox struct {
	metrics *metrics
	// wake has an element when there is something new for the transport.
	wake chan struct{}
	// room has an element when the transport has taken something.
	room chan struct{}

	mu sync.Mutex
	// batches are the replies that the transport did not take yet, each batch fit for one message.
	batches []replyBatch
	// waiting is how many replies those are.
	waiting int
	// open is how many calls have no reply yet.
	open int
	// held is how many calls had PARK for their first reply and have no final one yet.
	held  int
	ended bool
	// gone: the stream is over.
	gone bool
}

// replyBatch is the content of one ReplyBatch, encoded.
type replyBatch struct {
	bytes []byte
	count int
}

func newOutbox(metrics *metrics) *outbox {
	return &outbox{metrics: metrics, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// accept counts as many of n new calls as may be open, and returns their number.
func (o *outbox) accept(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n = max(0, min(n, maxInFlight-o.open-o.waiting))
	o.open += n
	o.count(n, 0)
	return n
}

// hasRoom says whether another call may be open.
func (o *outbox) hasRoom() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open+o.waiting < maxInFlight
}

// refuse adds a reply to a call that was not accepted.
func (o *outbox) refuse(reply *hooksv1.CalloutReply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.push(0, reply)
}

// final adds the last reply of a call; held: it had PARK for its first.
func (o *outbox) final(point int32, reply *hooksv1.CalloutReply, held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if held {
		o.held--
		o.count(-1, -1)
	} else {
		o.open--
		o.count(-1, 0)
	}
	o.push(point, reply)
}

// park adds the first of two replies.
func (o *outbox) park(id uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held >= maxHeld {
		return errHeld
	}
	o.open--
	o.held++
	o.count(0, 1)
	o.push(0, parkReply(id))
	return nil
}

// push encodes a reply. Under the lock: what is queued is bytes, in the order in which the calls were finished.
func (o *outbox) push(point int32, reply *hooksv1.CalloutReply) {
	size := proto.Size(reply)
	answer := len(reply.GetResult().GetChanges().GetCommandResponse())
	if size > maxAnswer || size-answer > maxReply {
		text := fmt.Sprintf("the reply has %d bytes, more than a message may have", size)
		slog.Warn("callout failed", "hook_point", hookPointName(hookpoints.HookPoint(point)), "failure", text)
		reply = failedReply(reply.GetId(), text)
		size = proto.Size(reply)
	}
	batch := o.batchFor(size)
	err := batch.add(reply, size)
	if err != nil {
		reply = failedReply(reply.GetId(), fmt.Sprintf("the reply cannot be encoded: %v", err))
		// A number and a text without strange bytes can be.
		_ = batch.add(reply, proto.Size(reply))
	}
	o.waiting++
}

// batchFor is where a reply of that size goes.
func (o *outbox) batchFor(size int) *replyBatch {
	if last := len(o.batches) - 1; last >= 0 {
		batch := &o.batches[last]
		if batch.count < batchReplies && len(batch.bytes)+size <= batchBytes {
			return batch
		}
	}
	o.batches = append(o.batches, replyBatch{bytes: buffers.get()})
	return &o.batches[len(o.batches)-1]
}

// add appends a reply of that size, as the field of ReplyBatch.
func (b *replyBatch) add(reply *hooksv1.CalloutReply, size int) error {
	before := len(b.bytes)
	bytes := protowire.AppendTag(b.bytes, fieldReply, protowire.BytesType)
	bytes = protowire.AppendVarint(bytes, uint64(size))
	bytes, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(bytes, reply)
	if err != nil {
		b.bytes = b.bytes[:before]
		return err
	}
	b.bytes = bytes
	b.count++
	return nil
}

// flush lets the transport know that there is something to send.
func (o *outbox) flush() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take is the next message, if there is one; over: there will be no other.
func (o *outbox) take() (batch replyBatch, ok, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.batches) == 0 {
		return replyBatch{}, false, o.ended && o.open == 0 && o.held == 0
	}
	batch = o.batches[0]
	o.batches[0] = replyBatch{}
	o.batches = o.batches[1:]
	o.waiting -= batch.count
	if len(o.batches) == 0 {
		o.batches = nil
	}
	select {
	case o.room <- struct{}{}:
	default:
	}
	return batch, true, false
}

// end says that no further calls come: the session is over with the last reply.
func (o *outbox) end() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	o.flush()
}

// abandon takes the open calls of a session that is gone out of the metrics.
func (o *outbox) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count(-o.open-o.held, -o.held)
	o.gone = true
}

// count changes the metrics, unless the calls were taken out of them already.
func (o *outbox) count(open, held int) {
	if o.gone {
		return
	}
	if open != 0 {
		o.metrics.open.Add(int64(open))
	}
	if held != 0 {
		o.metrics.held.Add(int64(held))
	}
}

func parkReply(id uint64) *hooksv1.CalloutReply {
	step := hooksv1.NextStep(hookpoints.Park)
	result := &hooksv1.CalloutResult{NextStep: &step}
	return &hooksv1.CalloutReply{Id: id, Outcome: &hooksv1.CalloutReply_Result{Result: result}}
}

func failedReply(id uint64, text string) *hooksv1.CalloutReply {
	failure := &hooksv1.CalloutFailure{Text: text}
	return &hooksv1.CalloutReply{Id: id, Outcome: &hooksv1.CalloutReply_Failure{Failure: failure}}
}

// codec encodes as protobuf does, and sends batches of replies as they are.
type codec struct {
	encoding.CodecV2
}

func newCodec() codec {
	return codec{encoding.GetCodecV2("proto")}
}

// Marshal takes over the bytes of a *replyBatch.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	batch, ok := message.(*replyBatch)
	if !ok {
		return c.CodecV2.Marshal(message)
	}
	head := protowire.AppendTag(nil, fieldReplies, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(batch.bytes)))
	return mem.BufferSlice{mem.SliceBuffer(head), mem.NewBuffer(&batch.bytes, buffers)}, nil
}

// bufferPool has the bytes of batches that were sent.
type bufferPool struct {
	pool sync.Pool
}

var buffers = &bufferPool{pool: sync.Pool{New: func() any { return new([]byte) }}}

func (p *bufferPool) get() []byte {
	return (*p.pool.Get().(*[]byte))[:0]
}

// Get is for whoever wants a buffer of that length.
func (p *bufferPool) Get(length int) *[]byte {
	bytes := make([]byte, length)
	return &bytes
}

// Put gets back a buffer once the transport has written it.
func (p *bufferPool) Put(bytes *[]byte) {
	if cap(*bytes) <= batchBytes {
		p.pool.Put(bytes)
	}
}
