#include "ingest/rules/asterisk_queue_log.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 32
/* A call that lasted longer than 30 days is a broken line. */
#define DURATION_MAX_S (INT64_C(30) * 86400)

/* What a verb says, with what stands in its data columns. */
enum shape {
    SHAPE_IGNORED,
    SHAPE_ENTER,    /* url | caller | position [| name] */
    SHAPE_CONNECT,  /* ... wait s | channel | ring s */
    SHAPE_COMPLETE, /* ... wait s | talk s | position */
    SHAPE_TRANSFER, /* where to ... | wait s | talk s | position */
    SHAPE_LEFT,     /* ... position | position | wait s */
    SHAPE_EXIT_KEY, /* key | position | position | wait s */
    SHAPE_WITHDRAW, /* position | position | wait s | why */
    SHAPE_OFFER,    /* ring ms */
    SHAPE_SURVEY,   /* score */
    SHAPE_AGENT     /* reason */
};

struct verb {
    const char *name;
    enum shape shape;
    enum event_type type;
    enum outcome outcome;
    enum party ended_by;
    enum presence presence;
    const char *word; /* reason or instrument */
};

static const struct verb verbs[] = {
    {.name = "ENTERQUEUE", .shape = SHAPE_ENTER, .type = CONTACT_QUEUED},
    {.name = "CONNECT", .shape = SHAPE_CONNECT, .type = CONTACT_ANSWERED},
    {.name = "COMPLETECALLER",
     .shape = SHAPE_COMPLETE,
     .type = CONTACT_AGENT_ENDED,
     .outcome = OUTCOME_COMPLETED_BY_CALLER,
     .ended_by = PARTY_CUSTOMER},
    {.name = "COMPLETEAGENT",
     .shape = SHAPE_COMPLETE,
     .type = CONTACT_AGENT_ENDED,
     .outcome = OUTCOME_COMPLETED_BY_AGENT,
     .ended_by = PARTY_AGENT},
    {.name = "BLINDTRANSFER",
     .shape = SHAPE_TRANSFER,
     .type = CONTACT_TRANSFERRED,
     .outcome = OUTCOME_BLIND_TRANSFER,
     .ended_by = PARTY_AGENT},
    {.name = "TRANSFER",
     .shape = SHAPE_TRANSFER,
     .type = CONTACT_TRANSFERRED,
     .outcome = OUTCOME_BLIND_TRANSFER,
     .ended_by = PARTY_AGENT},
    {.name = "ATTENDEDTRANSFER",
     .shape = SHAPE_TRANSFER,
     .type = CONTACT_TRANSFERRED,
     .outcome = OUTCOME_ATTENDED_TRANSFER,
     .ended_by = PARTY_AGENT},
    {.name = "ABANDON",
     .shape = SHAPE_LEFT,
     .type = CONTACT_ABANDONED,
     .outcome = OUTCOME_ABANDONED,
     .ended_by = PARTY_CUSTOMER},
    {.name = "EXITWITHTIMEOUT",
     .shape = SHAPE_LEFT,
     .type = CONTACT_LEFT_QUEUE,
     .outcome = OUTCOME_TIMEOUT,
     .ended_by = PARTY_SYSTEM,
     .word = "TIMEOUT"},
    {.name = "EXITEMPTY",
     .shape = SHAPE_LEFT,
     .type = CONTACT_LEFT_QUEUE,
     .outcome = OUTCOME_LEFT_EMPTY,
     .ended_by = PARTY_SYSTEM,
     .word = "LEAVEEMPTY"},
    {.name = "EXITWITHKEY",
     .shape = SHAPE_EXIT_KEY,
     .type = CONTACT_LEFT_QUEUE,
     .outcome = OUTCOME_EXIT_KEY,
     .ended_by = PARTY_CUSTOMER},
    {.name = "WITHDRAW",
     .shape = SHAPE_WITHDRAW,
     .type = CONTACT_LEFT_QUEUE,
     .outcome = OUTCOME_WITHDRAWN,
     .ended_by = PARTY_SYSTEM},
    {.name = "RINGNOANSWER",
     .shape = SHAPE_OFFER,
     .type = CONTACT_OFFER_FAILED,
     .word = "no_answer"},
    {.name = "RINGCANCELED",
     .shape = SHAPE_OFFER,
     .type = CONTACT_OFFER_FAILED,
     .word = "cancelled"},
    {.name = "AGENTDUMP", .shape = SHAPE_OFFER, .type = CONTACT_OFFER_FAILED, .word = "rejected"},
    {.name = "CSAT", .shape = SHAPE_SURVEY, .type = FEEDBACK_RECEIVED, .word = "csat"},
    {.name = "NPS", .shape = SHAPE_SURVEY, .type = FEEDBACK_RECEIVED, .word = "nps"},
    {.name = "PAUSE", .shape = SHAPE_AGENT, .presence = PRESENCE_BREAK},
    {.name = "PAUSEALL", .shape = SHAPE_AGENT, .presence = PRESENCE_BREAK},
    {.name = "UNPAUSE", .shape = SHAPE_AGENT, .presence = PRESENCE_AVAILABLE},
    {.name = "UNPAUSEALL", .shape = SHAPE_AGENT, .presence = PRESENCE_AVAILABLE},
    {.name = "ADDMEMBER", .shape = SHAPE_AGENT, .presence = PRESENCE_AVAILABLE},
    {.name = "REMOVEMEMBER", .shape = SHAPE_AGENT, .presence = PRESENCE_OFFLINE},
    {.name = "AGENTLOGIN", .shape = SHAPE_AGENT, .presence = PRESENCE_AVAILABLE},
    {.name = "AGENTLOGOFF", .shape = SHAPE_AGENT, .presence = PRESENCE_OFFLINE},
    {.name = "AGENTCALLBACKLOGIN", .shape = SHAPE_AGENT, .presence = PRESENCE_AVAILABLE},
    {.name = "AGENTCALLBACKLOGOFF", .shape = SHAPE_AGENT, .presence = PRESENCE_OFFLINE},
    {.name = "QUEUESTART", .shape = SHAPE_IGNORED},
    {.name = "CONFIGRELOAD", .shape = SHAPE_IGNORED},
    {.name = "PENALTY", .shape = SHAPE_IGNORED},
    {.name = "RINGINUSE", .shape = SHAPE_IGNORED},
    {.name = "OUTCALL", .shape = SHAPE_IGNORED},
    {.name = "SYSCOMPAT", .shape = SHAPE_IGNORED},
};

struct columns {
    char *at[COLUMNS_MAX];
    size_t count;
    size_t verb; /* index of the verb's column */
};

void asterisk_queue_log_init(struct asterisk_queue_log *reader, const char *source,
                             const char *system, const char *site)
{
    memset(reader, 0, sizeof(*reader));
    reader->source = source;
    reader->system = system && *system ? system : source;
    reader->site = site ? site : "";
}

static uint64_t hash_of(struct slice line)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < line.len; i++)
        hash = (hash ^ (uint8_t)line.at[i]) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

/* Remembers the line; returns how often the same one stood among those before it. */
static unsigned count_repeats(struct asterisk_queue_log *reader, struct slice line)
{
    uint64_t hash = hash_of(line);
    unsigned repeats = 0;
    for (size_t i = 0; i < ASTERISK_QUEUE_LOG_MEMORY; i++)
        repeats += reader->recent[i] == hash;
    reader->recent[reader->next] = hash;
    reader->next = (reader->next + 1) % ASTERISK_QUEUE_LOG_MEMORY;
    return repeats;
}

void asterisk_queue_log_prime(struct asterisk_queue_log *reader, struct slice line)
{
    if (line.len > 0 && line.len <= ASTERISK_QUEUE_LOG_LINE_MAX)
        (void)count_repeats(reader, line);
}

bool asterisk_queue_log_next(struct slice *rest, struct slice *ret_line)
{
    const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (!end)
        return false;
    size_t len = (size_t)(end - rest->at);
    *ret_line = (struct slice){rest->at, len};
    if (len > 0 && rest->at[len - 1] == '\r')
        ret_line->len--;
    rest->at = end + 1;
    rest->len -= len + 1;
    return true;
}

static const struct verb *verb_of(const char *name)
{
    for (size_t i = 0; i < countof(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

/* Cuts line at every '|'. The verb is the first known one from the fifth column on; what stands
 * between the queue and it is the agent's name, put together again. */
static const struct verb *split(char *line, struct columns *columns)
{
    columns->count = 0;
    columns->at[columns->count++] = line;
    for (char *at = line; *at; at++) {
        if (*at == '|' && columns->count < COLUMNS_MAX) {
            *at = 0;
            columns->at[columns->count++] = at + 1;
        }
    }
    for (size_t i = 4; i < columns->count; i++) {
        const struct verb *verb = verb_of(columns->at[i]);
        if (!verb)
            continue;
        for (size_t j = 4; j < i; j++)
            /* cppcheck-suppress negativeIndex ; each column begins behind the bar that was cut */
            columns->at[j][-1] = '|';
        columns->verb = i;
        return verb;
    }
    return NULL;
}

/* The nth data column from the left, from 0. */
static const char *left(const struct columns *columns, size_t n)
{
    size_t i = columns->verb + 1 + n;
    return i < columns->count ? columns->at[i] : "";
}

/* The nth data column from the right, from 0. */
static const char *right(const struct columns *columns, size_t n)
{
    size_t data = columns->count - columns->verb - 1;
    return n < data ? columns->at[columns->count - 1 - n] : "";
}

static int64_t number(const char *text, int64_t max, int64_t unknown)
{
    int64_t value;
    if (text_to_i64(slice_of(text), 0, max, &value))
        return unknown;
    return value;
}

static uint32_t position(const char *text)
{
    return (uint32_t)number(text, INT32_MAX, 0);
}

static int64_t milliseconds(const char *text)
{
    return number(text, DURATION_MAX_S * 1000, -1);
}

static int64_t seconds_as_ms(const char *text)
{
    int64_t seconds = number(text, DURATION_MAX_S, -1);
    return seconds < 0 ? -1 : seconds * 1000;
}

static void take_data(const struct verb *verb, const struct columns *columns, struct event *event)
{
    switch (verb->shape) {
    case SHAPE_ENTER:
        event->customer_address = event_address_of(left(columns, 1));
        event->position = position(left(columns, 2));
        break;
    case SHAPE_CONNECT:
        event->wait_ms = seconds_as_ms(right(columns, 2));
        event->ring_ms = seconds_as_ms(right(columns, 0));
        break;
    case SHAPE_TRANSFER:
    case SHAPE_COMPLETE:
        event->wait_ms = seconds_as_ms(right(columns, 2));
        event->talk_ms = seconds_as_ms(right(columns, 1));
        event->talk_includes_hold = true;
        if (event->outcome == OUTCOME_BLIND_TRANSFER)
            event->to_address = left(columns, 0);
        break;
    case SHAPE_EXIT_KEY:
    case SHAPE_LEFT:
        event->wait_ms = seconds_as_ms(right(columns, 0));
        event->position = position(right(columns, 2));
        if (verb->shape == SHAPE_EXIT_KEY)
            event->reason = left(columns, 0);
        break;
    case SHAPE_WITHDRAW:
        event->wait_ms = seconds_as_ms(left(columns, 2));
        event->position = position(left(columns, 0));
        event->reason = left(columns, 3);
        break;
    case SHAPE_OFFER:
        event->ring_ms = milliseconds(right(columns, 0));
        break;
    case SHAPE_SURVEY:
        event->instrument = verb->word;
        event->reason = "";
        event->has_score = text_to_double(slice_of(left(columns, 0)), &event->score) == 0;
        assert(verb->word);
        event->score_min = strcmp(verb->word, "nps") == 0 ? 0 : 1;
        event->score_max = strcmp(verb->word, "nps") == 0 ? 10 : 5;
        break;
    case SHAPE_AGENT:
        event->presence = verb->presence;
        event->reason = left(columns, 0);
        break;
    case SHAPE_IGNORED:
        break;
    }
}

static bool is_contact(const char *callid)
{
    static const char *const nobody[] = {"", "NONE", "REALTIME", "MANAGER", "CLI"};
    for (size_t i = 0; i < countof(nobody); i++) {
        if (strcmp(callid, nobody[i]) == 0)
            return false;
    }
    return true;
}

static const char *unless_none(const char *text)
{
    return strcmp(text, "NONE") == 0 ? "" : text;
}

static void fill(const struct asterisk_queue_log *reader, const struct verb *verb,
                 const struct columns *columns, struct event *event)
{
    bool of_agent = verb->shape == SHAPE_AGENT;
    event->source = reader->source;
    event->system = reader->system;
    event->site = reader->site;
    event->type = of_agent ? AGENT_STATE_CHANGED : verb->type;
    event->evidence = EVIDENCE_RECORD;
    event->contact_id = of_agent ? "" : columns->at[1];
    event->channel = of_agent ? CHANNEL_UNKNOWN : CHANNEL_VOICE;
    event->queue = unless_none(columns->at[2]);
    event->agent = unless_none(columns->at[3]);
    event->agent_name = event->agent;
    event->outcome = verb->outcome;
    event->ended_by = verb->ended_by;
    event->reason = verb->word ? verb->word : "";
    take_data(verb, columns, event);
}

static struct id id_of_line(const struct asterisk_queue_log *reader, unsigned repeats)
{
    char nth[16];
    (void)snprintf(nth, sizeof(nth), "%u", repeats + 1);
    const char *const parts[] = {"event", reader->source, "queue_log", reader->line, nth};
    return id_of(parts, countof(parts));
}

int asterisk_queue_log_line(struct asterisk_queue_log *reader, struct slice line, uint64_t sequence,
                            int64_t received_at, event_sink *sink, void *context)
{
    reader->lines++;
    if (line.len == 0 || line.len > ASTERISK_QUEUE_LOG_LINE_MAX || memchr(line.at, 0, line.len)) {
        reader->malformed++;
        return -EINVAL;
    }
    memcpy(reader->line, line.at, line.len);
    reader->line[line.len] = 0;
    (void)text_repair_utf8(reader->line, line.len);
    struct id id = id_of_line(reader, count_repeats(reader, line));
    struct columns columns = {0};
    const struct verb *verb = split(reader->line, &columns);
    int64_t epoch_s;
    if (columns.count < 5 ||
        text_to_i64(slice_of(columns.at[0]), 1, INT64_C(99999999999), &epoch_s)) {
        reader->malformed++;
        return -EINVAL;
    }
    bool of_agent = verb && verb->shape == SHAPE_AGENT;
    const char *agent = verb ? unless_none(columns.at[3]) : "";
    if (!verb || verb->shape == SHAPE_IGNORED ||
        (of_agent ? !*agent : !is_contact(columns.at[1]))) {
        reader->ignored++;
        return 0;
    }
    struct event event;
    event_init(&event);
    event.event_id = id;
    event.occurred_at = epoch_s * US_PER_S;
    event.received_at = received_at;
    event.sequence = sequence;
    fill(reader, verb, &columns, &event);
    reader->events++;
    sink(context, &event);
    return 0;
}
