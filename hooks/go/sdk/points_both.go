package outrigger

import (
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// CommandProcessed is a call of command_processed: a control command was handled, by the server or by a service.
type CommandProcessed struct {
	Call
	withProcessed
	answersCommand

	arguments *hooksv1.CommandProcessedArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *CommandProcessed) Arguments() *hooksv1.CommandProcessedArguments { return c.arguments }

func (c *CommandProcessed) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetCommandProcessed()
	c.arguments = a
	c.withProcessed.fill(a)
	c.answersCommand.fill(&c.Call, a.GetResponse())
	return a != nil
}

// Command is a call of $command: somebody sent a control command that the service offers (Service.Commands).
type Command struct {
	Call
	withCommand
	answersCommand

	arguments *hooksv1.CommandArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Command) Arguments() *hooksv1.CommandArguments { return c.arguments }

func (c *Command) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetCommand()
	c.arguments = a
	c.withCommand.fill(a.GetCommand())
	c.answersCommand.fill(&c.Call, a.GetResponse())
	return a != nil
}
