// A hook library for Kea that does at each hook point what a file says, so that a test can compare Kea's behaviour with
// the table of expectations. Parameters: "script", the file; "calls", where each call is written; "release", a FIFO
// through which the test ends parking.
//
// The script is one line, "HOOK_POINT STEP". At that hook point the callout makes its mark, a change that the client or
// the lease store shows, and then does the step: CONTINUE, SKIP, DROP or PARK, "warning" (returns 1) or "failure"
// (throws). Everywhere else it does nothing.

#include <cc/command_interpreter.h>
#include <cc/data.h>
#include <dhcp/dhcp4.h>
#include <dhcp/dhcp6.h>
#include <dhcp/option_string.h>
#include <dhcp/pkt4.h>
#include <dhcp/pkt6.h>
#include <dhcpsrv/lease.h>
#include <hooks/hooks.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// The packaged dhcpsrv/subnet.h includes a header that is not packaged; pointers to subnets are all that is needed.
namespace isc::dhcp {
class Subnet4;
class Subnet6;
} // namespace isc::dhcp

using namespace isc::data;
using namespace isc::dhcp;
using namespace isc::hooks;

namespace {

using Mark = std::function<void(CalloutHandle&)>;

const std::string marked = "marked";
// The configured domain name of the same length, which a packed reply can be searched for.
const std::string unmarked = "plain1";
const std::string flex_id = "matrix";
const uint32_t marked_lifetime = 300;
const uint32_t marked_preferred = 200;

std::string script_path;
std::string calls_path;
std::string release_path;
int release_fifo = -1;
std::thread releaser;
std::mutex mutex;
std::vector<std::function<void(bool)>> parked;

void tell(const std::string& point) {
    const std::lock_guard<std::mutex> lock(mutex);
    std::ofstream(calls_path, std::ios::app) << point << '\n';
}

std::string step_at(const std::string& point) {
    std::ifstream script(script_path);
    std::string at;
    std::string step;
    script >> at >> step;
    return at == point ? step : std::string();
}

template <typename Query>
void park(CalloutHandle& handle, const char* argument) {
    Query query;
    handle.getArgument(argument, query);
    const ParkingLotHandlePtr lot = handle.getParkingLotHandlePtr();
    lot->reference(query);
    handle.setStatus(CalloutHandle::NEXT_STEP_PARK);
    const std::lock_guard<std::mutex> lock(mutex);
    parked.push_back([lot, query](bool answer) {
        if (answer) {
            lot->unpark(query);
        } else {
            lot->drop(query);
        }
    });
    std::ofstream(calls_path, std::ios::app) << "PARK" << '\n';
}

// Each line is "CONTINUE" or "DROP", for all that is parked; an empty one ends the thread.
void release() {
    char byte = 0;
    std::string line;
    while (read(release_fifo, &byte, 1) == 1) {
        if (byte != '\n') {
            line.push_back(byte);
            continue;
        }
        if (line.empty()) {
            return;
        }
        std::vector<std::function<void(bool)>> held;
        {
            const std::lock_guard<std::mutex> lock(mutex);
            held.swap(parked);
        }
        for (const auto& end : held) {
            end(line == "CONTINUE");
        }
        line.clear();
    }
}

int run(CalloutHandle& handle, const std::string& point, const Mark& mark, const char* parks = nullptr) {
    const std::string step = step_at(point);
    if (!step.empty()) {
        mark(handle);
    }
    if (step == "SKIP") {
        handle.setStatus(CalloutHandle::NEXT_STEP_SKIP);
    } else if (step == "DROP") {
        handle.setStatus(CalloutHandle::NEXT_STEP_DROP);
    } else if (step == "PARK" && parks == nullptr) {
        handle.setStatus(CalloutHandle::NEXT_STEP_PARK);
    } else if (step == "PARK" && std::string(parks) == "query4") {
        park<Pkt4Ptr>(handle, parks);
    } else if (step == "PARK") {
        park<Pkt6Ptr>(handle, parks);
    }
    tell(point);
    if (step == "failure") {
        throw std::runtime_error("the callout fails because the script says so");
    }
    return step == "warning" ? 1 : 0;
}

void nothing(CalloutHandle&) {}

template <typename Query>
Mark classify(const char* argument) {
    return [argument](CalloutHandle& handle) {
        Query query;
        handle.getArgument(argument, query);
        query->addClass(marked);
    };
}

// The step "remember" keeps the subnet of this packet, to be selected for others afterwards.
template <typename Subnet>
int select(CalloutHandle& handle, const char* point, const char* argument) {
    static boost::shared_ptr<Subnet> remembered;
    return run(handle, point, [&](CalloutHandle& inner) {
        if (step_at(point) == "remember") {
            inner.getArgument(argument, remembered);
        } else {
            inner.setArgument(argument, remembered);
        }
    });
}

void identify(CalloutHandle& handle) {
    handle.setArgument("id_value", std::vector<uint8_t>(flex_id.begin(), flex_id.end()));
}

void rename_client(CalloutHandle& handle) {
    handle.setArgument("hostname", marked + ".example");
}

void shorten4(CalloutHandle& handle) {
    Lease4Ptr lease;
    handle.getArgument("lease4", lease);
    lease->valid_lft_ = marked_lifetime;
}

void shorten6(CalloutHandle& handle) {
    Lease6Ptr lease;
    handle.getArgument("lease6", lease);
    lease->valid_lft_ = marked_lifetime;
    lease->preferred_lft_ = marked_preferred;
}

// Null where there is no reply, or where this version of Kea does not hand it over.
template <typename Response>
Response response_of(CalloutHandle& handle, const char* argument) {
    Response response;
    const auto names = handle.getArgumentNames();
    if (std::find(names.begin(), names.end(), argument) != names.end()) {
        handle.getArgument(argument, response);
    }
    return response;
}

void write4(CalloutHandle& handle) {
    const Pkt4Ptr response = response_of<Pkt4Ptr>(handle, "response4");
    if (response) {
        response->delOption(DHO_DOMAIN_NAME);
        response->addOption(OptionPtr(new OptionString(Option::V4, DHO_DOMAIN_NAME, marked)));
    }
}

void write6(CalloutHandle& handle) {
    const Pkt6Ptr response = response_of<Pkt6Ptr>(handle, "response6");
    if (response) {
        OptionBuffer name(1, static_cast<uint8_t>(marked.size()));
        name.insert(name.end(), marked.begin(), marked.end());
        name.push_back(0);
        response->delOption(D6O_DOMAIN_SEARCH);
        response->addOption(OptionPtr(new Option(Option::V6, D6O_DOMAIN_SEARCH, name)));
    }
}

template <typename Response>
void overwrite(CalloutHandle& handle, const char* argument) {
    Response response;
    handle.getArgument(argument, response);
    isc::util::OutputBuffer& buffer = response->getBuffer();
    const auto* begin = static_cast<const uint8_t*>(buffer.getData());
    const auto* end = begin + buffer.getLength();
    const auto* found = std::search(begin, end, unmarked.begin(), unmarked.end());
    if (found != end) {
        const size_t at = found - begin;
        for (size_t i = 0; i < marked.size(); ++i) {
            buffer.writeUint8At(marked[i], at + i);
        }
    }
}

// Marks the reply; with SKIP it is also packed, which the server then leaves out.
template <typename Response>
int send(CalloutHandle& handle, const char* point, const char* argument, const Mark& write) {
    return run(handle, point, [&](CalloutHandle& inner) {
        write(inner);
        if (step_at(point) == "SKIP") {
            Response response;
            inner.getArgument(argument, response);
            response->pack();
        }
    });
}

void refuse(CalloutHandle& handle) {
    handle.setArgument("error", marked);
}

void answer(CalloutHandle& handle) {
    handle.setArgument("response", isc::config::createAnswer(0, marked));
}

} // namespace

extern "C" {

int version() {
    return KEA_HOOKS_VERSION;
}

int multi_threading_compatible() {
    return 1;
}

int probe(CalloutHandle& handle) {
    handle.setArgument("response", isc::config::createAnswer(0, "plain"));
    return run(handle, "$command", answer);
}

int load(LibraryHandle& library) {
    const auto path = [&](const char* name) { return library.getParameter(name)->stringValue(); };
    script_path = path("script");
    calls_path = path("calls");
    release_path = path("release");
    if (mkfifo(release_path.c_str(), 0600) != 0 && errno != EEXIST) {
        return 1;
    }
    // For writing as well, so that the end of a writer is not the end of the file.
    release_fifo = open(release_path.c_str(), O_RDWR);
    if (release_fifo < 0) {
        return 1;
    }
    releaser = std::thread(release);
    library.registerCommandCallout("matrix-probe", probe);
    return 0;
}

int unload() {
    const bool told = write(release_fifo, "\n", 1) == 1;
    if (told) {
        releaser.join();
    } else {
        releaser.detach();
    }
    close(release_fifo);
    return 0;
}

int buffer4_receive(CalloutHandle& handle) { return run(handle, "buffer4_receive", classify<Pkt4Ptr>("query4")); }
int pkt4_receive(CalloutHandle& handle) { return run(handle, "pkt4_receive", classify<Pkt4Ptr>("query4")); }
int subnet4_select(CalloutHandle& handle) { return select<Subnet4>(handle, "subnet4_select", "subnet4"); }
int host4_identifier(CalloutHandle& handle) { return run(handle, "host4_identifier", identify); }
int ddns4_update(CalloutHandle& handle) { return run(handle, "ddns4_update", rename_client); }
int lease4_select(CalloutHandle& handle) { return run(handle, "lease4_select", shorten4); }
int lease4_renew(CalloutHandle& handle) { return run(handle, "lease4_renew", shorten4); }
int lease4_release(CalloutHandle& handle) { return run(handle, "lease4_release", nothing); }
int lease4_decline(CalloutHandle& handle) { return run(handle, "lease4_decline", nothing); }
int leases4_committed(CalloutHandle& handle) { return run(handle, "leases4_committed", write4, "query4"); }
int pkt4_send(CalloutHandle& handle) { return send<Pkt4Ptr>(handle, "pkt4_send", "response4", write4); }
int buffer4_send(CalloutHandle& handle) {
    return run(handle, "buffer4_send", [](CalloutHandle& inner) { overwrite<Pkt4Ptr>(inner, "response4"); });
}
int lease4_expire(CalloutHandle& handle) { return run(handle, "lease4_expire", nothing); }
int lease4_recover(CalloutHandle& handle) { return run(handle, "lease4_recover", nothing); }
int dhcp4_srv_configured(CalloutHandle& handle) { return run(handle, "dhcp4_srv_configured", refuse); }

int buffer6_receive(CalloutHandle& handle) { return run(handle, "buffer6_receive", classify<Pkt6Ptr>("query6")); }
int pkt6_receive(CalloutHandle& handle) { return run(handle, "pkt6_receive", classify<Pkt6Ptr>("query6")); }
int subnet6_select(CalloutHandle& handle) { return select<Subnet6>(handle, "subnet6_select", "subnet6"); }
int host6_identifier(CalloutHandle& handle) { return run(handle, "host6_identifier", identify); }
int ddns6_update(CalloutHandle& handle) { return run(handle, "ddns6_update", rename_client); }
int lease6_select(CalloutHandle& handle) { return run(handle, "lease6_select", shorten6); }
int lease6_renew(CalloutHandle& handle) { return run(handle, "lease6_renew", shorten6); }
int lease6_rebind(CalloutHandle& handle) { return run(handle, "lease6_rebind", shorten6); }
int lease6_release(CalloutHandle& handle) { return run(handle, "lease6_release", nothing); }
int lease6_decline(CalloutHandle& handle) { return run(handle, "lease6_decline", nothing); }
int leases6_committed(CalloutHandle& handle) { return run(handle, "leases6_committed", write6, "query6"); }
int pkt6_send(CalloutHandle& handle) { return send<Pkt6Ptr>(handle, "pkt6_send", "response6", write6); }
int buffer6_send(CalloutHandle& handle) {
    return run(handle, "buffer6_send", [](CalloutHandle& inner) { overwrite<Pkt6Ptr>(inner, "response6"); });
}
int lease6_expire(CalloutHandle& handle) { return run(handle, "lease6_expire", nothing); }
int lease6_recover(CalloutHandle& handle) { return run(handle, "lease6_recover", nothing); }
int dhcp6_srv_configured(CalloutHandle& handle) { return run(handle, "dhcp6_srv_configured", refuse); }

int command_processed(CalloutHandle& handle) { return run(handle, "command_processed", answer); }

} // extern "C"
