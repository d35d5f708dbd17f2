/* runtime_calls - what every service answers to an operator: Status, SetLogLevel, Drain; the
 * quarantine is in quarantine.c. */
#include "base/clock.h"
#include "base/log.h"
#include "io/service_parts.h"
#include "moment/v1/stream.pb-c.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* protobuf-c has no const; packing does not write. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* --- Status --- */

static void fill_cursor(const struct service *service, size_t i, Moment__V1__CursorStatus *status)
{
    const struct consumer *consumer = service->consumers[i];
    struct position position = consumer_position(consumer);
    uint64_t head = consumer_head(consumer);

    moment__v1__cursor_status__init(status);
    status->producer = borrow(consumer_producer(consumer));
    status->epoch = position.epoch;
    status->seq = position.seq;
    status->head = head == UINT64_MAX ? 0 : head;
    status->state = borrow(consumer_state(consumer));
}

static void on_status(void *state, struct call *call)
{
    const struct service *service = state;
    Moment__V1__StatusResponse response;
    Moment__V1__CursorStatus cursors[CONSUMERS_MAX];
    Moment__V1__CursorStatus *list[CONSUMERS_MAX];
    struct position head = stream_head(service->stream);

    for (size_t i = 0; i < service->consumer_count; i++) {
        fill_cursor(service, i, &cursors[i]);
        list[i] = &cursors[i];
    }
    moment__v1__status_response__init(&response);
    response.service = borrow(service->spec->name);
    response.version = borrow(SERVICE_VERSION);
    response.state = borrow(service_phase(service));
    response.epoch = head.epoch;
    response.head = head.seq;
    response.tail = stream_tail(service->stream);
    response.cursors = list;
    response.n_cursors = service->consumer_count;
    response.quarantined = service->quarantined;
    response.uptime_s = (uint64_t)((clock_mono_us() - service->started_us) / US_PER_S);
    response.durability = borrow(service->is_replicated ? "replicated" : "local");
    call_reply(call, &response.base);
}

/* --- SetLogLevel, Drain --- */

static void on_set_log_level(void *state, struct call *call)
{
    struct service *service = state;
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(call);
    Moment__V1__SetLogLevelResponse response;
    struct problem problem;
    enum log_level level;

    if (log_level_parse(request->level, &level) < 0) {
        problem_set(&problem, 400, "invalid-field", "level",
                    "the level is debug, info, warn or error");
        call_fail(call, &problem);
        return;
    }
    moment__v1__set_log_level_response__init(&response);
    response.previous = borrow(log_level_name(log_level()));
    log_set_level(level);
    timer_stop(service->revert);
    if (request->revert_s) {
        timer_start(service->revert, (uint64_t)request->revert_s * 1000, 0);
    }
    call_reply(call, &response.base);
}

static void on_drain(void *state, struct call *call)
{
    Moment__V1__DrainResponse response;

    moment__v1__drain_response__init(&response);
    call_reply(call, &response.base);
    service_drain(state);
}

#define RUNTIME_CALL(method_name, open_to, whose, stem, function)                                  \
    {                                                                                              \
        .method = "runtime." method_name, .roles = (open_to), .scope = (whose),                    \
        .request = &moment__v1__##stem##_request__descriptor,                                      \
        .response = &moment__v1__##stem##_response__descriptor, .handler = (function)              \
    }

const struct call_route runtime_calls[] = {
    RUNTIME_CALL("Status", ROLE_OPERATOR | ROLE_SERVICE | ROLE_LEADER, SCOPE_EVERYBODY, status,
                 on_status),
    RUNTIME_CALL("SetLogLevel", ROLE_OPERATOR, SCOPE_WHOLE, set_log_level, on_set_log_level),
    RUNTIME_CALL("Drain", ROLE_OPERATOR, SCOPE_WHOLE, drain, on_drain),
    RUNTIME_CALL("ListQuarantine", ROLE_OPERATOR, SCOPE_WHOLE, list_quarantine, quarantine_list),
    RUNTIME_CALL("ShowQuarantine", ROLE_OPERATOR, SCOPE_WHOLE, show_quarantine, quarantine_show),
    RUNTIME_CALL("RedriveQuarantine", ROLE_OPERATOR, SCOPE_WHOLE, redrive_quarantine,
                 quarantine_redrive),
    RUNTIME_CALL("DropQuarantine", ROLE_OPERATOR, SCOPE_WHOLE, drop_quarantine, quarantine_drop),
};
const size_t runtime_call_count = countof(runtime_calls);
