"""The user_chk hook service: subnet and boot file by registration.

Clients that a registry knows keep the subnet that the server selected; all others are moved into a restricted one.
Boot file and TFTP server can be set per client. Every granted address is recorded for an external reader.

    registry file --> Registry --> pktN_receive: verdict --context--> subnetN_select: restricted subnet?
       (watched)      (last good)                         --context--> pktN_send: record, boot file --> outcome file

It follows Kea's user_chk library, and departs from it where that library fails open or fails hard: a broken registry
leaves the last good one in force, a client without identifier is not registered, and the restricted subnet is named by
its id. Read `callouts`, then `registry`.
"""

from typing import Final

__version__: Final = "0.1.0"
