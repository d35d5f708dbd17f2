#include "ingest/rules/asterisk_ami.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer than Asterisk's own limits (AST_MAX_UNIQUEID 150, queue and member names 80). */
#define ID_SIZE 160
#define NAME_SIZE 128
#define LEGS_MAX 1024
#define TRUNKS_MAX 64
#define ORIGINATED_MAX 32
/* Neighbouring packets are out of order by a millisecond or so; a greater step back is the clock's.
 */
#define DISORDER_US US_PER_S

enum phase {
    PHASE_STARTED, /* before, between and after queues */
    PHASE_WAITING,
    PHASE_GIVEN_UP, /* QueueCallerAbandon came: really, or timeout, leave-when-empty, withdraw? */
    PHASE_LEFT,     /* QueueCallerLeave without it: answered or exit by key? */
    PHASE_TALKING
};

/* What is known of an open visit. */
struct stay {
    char queue[NAME_SIZE];
    char agent[NAME_SIZE];
    char interface[NAME_SIZE];
    bool transferred; /* CONTACT_TRANSFERRED was emitted: AgentComplete adds nothing */
};

struct contact {
    char id[ID_SIZE];
    char linkedid[ID_SIZE];
    char root[ID_SIZE]; /* not "": linked to that contact */
    uint32_t hash;      /* of id */
    enum phase phase;
    bool is_inbound;
    bool is_entry_known; /* QueueCallerJoin or QueueEntry of the current visit was seen */
    bool hangup_requested;
    struct stay stay;
    struct stay left_stay; /* the visit before, until its AgentComplete */
    int64_t left_at;       /* of PHASE_GIVEN_UP and PHASE_LEFT */
    char left_stamp[32];
    unsigned occurrences; /* for the ids of a stream without Timestamp */
    uint64_t touched;     /* number of the packet that last moved it */
    bool is_listed;       /* by the current snapshot: */
    bool is_listed_waiting;
    bool is_in_queue_application;
    char bridge[ID_SIZE];
};

struct member {
    char queue[NAME_SIZE];
    char agent[NAME_SIZE];
    char interface[NAME_SIZE];
    char state_interface[NAME_SIZE];
    char reason[NAME_SIZE];
    int status;
    bool is_paused;
    bool is_listed;
};

struct agent {
    char name[NAME_SIZE];
    char reason[NAME_SIZE];
    enum presence presence;
    char queues[1024];
};

struct leg {
    char bridge[ID_SIZE];
    char peer[NAME_SIZE]; /* channel name without its serial number */
};

struct snapshot {
    char queues_id[ID_SIZE];
    char channels_id[ID_SIZE];
    bool is_awaited;
    bool has_queues;
    bool has_channels;
    bool is_refused; /* one of the lists came back as an error */
    bool has_gap;
    int64_t gap_from;
    uint64_t since_packet;
    struct leg legs[LEGS_MAX];
    size_t leg_count;
};

struct asterisk_ami {
    char source[NAME_SIZE];
    char system[NAME_SIZE];
    char site[NAME_SIZE];
    char contexts[1024];
    event_sink *sink;
    void *sink_context;
    struct asterisk_ami_counts counts;
    struct contact contacts[ASTERISK_AMI_CONTACTS];
    size_t contact_count;
    struct member members[ASTERISK_AMI_MEMBERS];
    size_t member_count;
    struct agent agents[ASTERISK_AMI_MEMBERS];
    size_t agent_count;
    char trunks[TRUNKS_MAX][NAME_SIZE]; /* endpoints that inbound calls came from */
    size_t trunk_count;
    char originated[ORIGINATED_MAX][ID_SIZE];
    size_t originated_next;
    struct snapshot snapshot;
    bool is_connected_before; /* something was heard on an earlier connection */
    bool is_disconnected;
    bool is_stamped;  /* the stream has Timestamps */
    int64_t heard_at; /* source's clock */
    int64_t ahead_us; /* source's clock minus ours, from the last Timestamp */
    int64_t emitted_at;
    uint64_t sequence;
    /* Of the packet in hand: */
    const struct ami_packet *packet;
    int64_t at;
    const char *stamp; /* its Timestamp, "" without */
};

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619U;
    return hash;
}

static const char *get(const struct asterisk_ami *ami, const char *name)
{
    return ami_packet_get(ami->packet, name);
}

static bool is(const struct asterisk_ami *ami, const char *name, const char *value)
{
    return strcmp(get(ami, name), value) == 0;
}

static int64_t get_number(const struct asterisk_ami *ami, const char *name)
{
    int64_t value;
    if (text_to_i64(slice_of(get(ami, name)), 0, INT32_MAX, &value))
        return -1;
    return value;
}

/* "1795307636.816886" in microseconds, 0 if it is not that. */
static int64_t parse_timestamp(const char *text)
{
    const char *dot = strchr(text, '.');
    if (!dot)
        return 0;
    int64_t seconds;
    int64_t micros;
    struct slice whole = {text, (size_t)(dot - text)};
    if (text_to_i64(whole, 1, INT64_C(99999999999), &seconds) || strlen(dot + 1) != 6 ||
        text_to_i64(slice_of(dot + 1), 0, 999999, &micros))
        return 0;
    return seconds * US_PER_S + micros;
}

/* --- contacts --------------------------------------------------------------------------------- */

static struct contact *find_contact(struct asterisk_ami *ami, const char *id)
{
    uint32_t hash = hash_of(id);
    for (size_t i = 0; i < ami->contact_count; i++) {
        if (ami->contacts[i].hash == hash && strcmp(ami->contacts[i].id, id) == 0)
            return &ami->contacts[i];
    }
    return NULL;
}

static struct contact *add_contact(struct asterisk_ami *ami, const char *id, const char *linkedid)
{
    if (!*id || strcmp(id, "<unknown>") == 0)
        return NULL;
    if (ami->contact_count == ASTERISK_AMI_CONTACTS || strlen(id) >= ID_SIZE) {
        ami->counts.overflows++;
        return NULL;
    }
    struct contact *contact = &ami->contacts[ami->contact_count++];
    memset(contact, 0, sizeof(*contact));
    text_copy(contact->id, sizeof(contact->id), id);
    text_copy(contact->linkedid, sizeof(contact->linkedid), linkedid);
    contact->hash = hash_of(id);
    contact->touched = ami->counts.packets;
    return contact;
}

static void remove_contact(struct asterisk_ami *ami, struct contact *contact)
{
    struct contact *last = &ami->contacts[--ami->contact_count];
    if (contact != last)
        *contact = *last;
}

static struct contact *packet_contact(struct asterisk_ami *ami)
{
    return find_contact(ami, get(ami, "Uniqueid"));
}

static void enter_phase(struct asterisk_ami *ami, struct contact *contact, enum phase phase)
{
    contact->phase = phase;
    contact->touched = ami->counts.packets;
}

/* --- events ----------------------------------------------------------------------------------- */

static void start_event(const struct asterisk_ami *ami, enum event_type type, int64_t at,
                        struct event *event)
{
    event_init(event);
    event->source = ami->source;
    event->system = ami->system;
    event->site = ami->site;
    event->type = type;
    event->evidence = EVIDENCE_LIVE;
    event->occurred_at = at;
}

static void start_contact_event(const struct asterisk_ami *ami, const struct contact *contact,
                                enum event_type type, int64_t at, struct event *event)
{
    start_event(ami, type, at, event);
    event->contact_id = contact->id;
    event->channel = CHANNEL_VOICE;
}

/* name and stamp say which packet it was, detail which of the events of that packet. */
static void emit(struct asterisk_ami *ami, struct event *event, const char *name, const char *stamp,
                 const char *detail)
{
    const char *const parts[] = {"event", ami->source, "ami",        name,        event->contact_id,
                                 stamp,   detail,      event->queue, event->agent};
    event->event_id = id_of(parts, countof(parts));
    event->received_at = 0;
    if (event->occurred_at != ami->emitted_at)
        ami->sequence = 0;
    ami->emitted_at = event->occurred_at;
    event->sequence = ami->sequence++;
    ami->counts.events++;
    ami->sink(ami->sink_context, event);
}

/* What tells this packet from another of the same kind about the same contact. */
static const char *stamp_of(const struct asterisk_ami *ami, struct contact *contact, char text[32])
{
    if (*ami->stamp)
        return ami->stamp;
    (void)snprintf(text, 32, "#%u", ++contact->occurrences);
    return text;
}

static void emit_contact(struct asterisk_ami *ami, struct contact *contact, struct event *event)
{
    char text[32];
    emit(ami, event, get(ami, "Event"), stamp_of(ami, contact, text), get(ami, "Interface"));
}

/* Of a snapshot: nothing in it has a Timestamp, so what it says is its identity. */
static void emit_derived(struct asterisk_ami *ami, struct event *event, const char *name)
{
    char stamp[32];
    (void)snprintf(stamp, sizeof(stamp), "%lld", (long long)(event->occurred_at / US_PER_S));
    emit(ami, event, name, stamp, "");
}

/* --- people ----------------------------------------------------------------------------------- */

/* "PJSIP/104-0000001f" is a channel of "PJSIP/104". */
static void device_of(const char *channel, char *to, size_t size)
{
    text_copy(to, size, channel);
    char *dash = strrchr(to, '-');
    if (dash)
        *dash = 0;
}

static const struct member *member_of_interface(const struct asterisk_ami *ami,
                                                const char *interface)
{
    for (size_t i = 0; i < ami->member_count; i++) {
        if (strcmp(ami->members[i].interface, interface) == 0)
            return &ami->members[i];
    }
    return NULL;
}

static const struct member *member_of_device(const struct asterisk_ami *ami, const char *device)
{
    for (size_t i = 0; i < ami->member_count; i++) {
        if (strcmp(ami->members[i].state_interface, device) == 0)
            return &ami->members[i];
    }
    return NULL;
}

static struct agent *agent_named(struct asterisk_ami *ami, const char *name)
{
    for (size_t i = 0; i < ami->agent_count; i++) {
        if (strcmp(ami->agents[i].name, name) == 0)
            return &ami->agents[i];
    }
    if (ami->agent_count == ASTERISK_AMI_MEMBERS) {
        ami->counts.overflows++;
        return NULL;
    }
    struct agent *agent = &ami->agents[ami->agent_count++];
    memset(agent, 0, sizeof(*agent));
    text_copy(agent->name, sizeof(agent->name), name);
    return agent;
}

/* AST_DEVICE_* */
static enum presence presence_of_status(int status)
{
    switch (status) {
    case 1:
        return PRESENCE_AVAILABLE;
    case 2: /* in use */
    case 3: /* busy */
    case 7: /* ringing and in use */
    case 8: /* on hold */
        return PRESENCE_BUSY;
    case 6:
        return PRESENCE_RINGING;
    case 4: /* invalid */
    case 5: /* unavailable */
        return PRESENCE_OFFLINE;
    default:
        return PRESENCE_UNKNOWN;
    }
}

static int status_of_device_state(const char *state)
{
    static const char *const states[] = {"UNKNOWN", "NOT_INUSE", "INUSE",
                                         "BUSY",    "INVALID",   "UNAVAILABLE",
                                         "RINGING", "RINGINUSE", "ONHOLD"};
    for (size_t i = 0; i < countof(states); i++) {
        if (strcmp(states[i], state) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_wrap_reason(const char *reason)
{
    return strncasecmp(reason, "acw", 3) == 0 || strncasecmp(reason, "wrap", 4) == 0;
}

static void append_line(char *to, size_t size, const char *line)
{
    size_t len = strlen(to);
    size_t need = strlen(line) + (len > 0);
    if (len + need >= size)
        return;
    if (len > 0)
        to[len++] = '\n';
    text_copy(to + len, size - len, line);
}

/* What all memberships of an agent say together. Someone paused in every queue is on a break,
 * unless the telephone is in use; a paused agent keeps the status "not in use". */
static void appraise(const struct asterisk_ami *ami, const char *name, struct agent *ret_agent)
{
    enum presence device = PRESENCE_OFFLINE;
    size_t memberships = 0;
    size_t pauses = 0;
    memset(ret_agent, 0, sizeof(*ret_agent));
    for (size_t i = 0; i < ami->member_count; i++) {
        const struct member *member = &ami->members[i];
        if (strcmp(member->agent, name) != 0)
            continue;
        memberships++;
        enum presence presence = presence_of_status(member->status);
        if (presence == PRESENCE_BUSY || device == PRESENCE_OFFLINE ||
            (presence == PRESENCE_RINGING && device != PRESENCE_BUSY))
            device = presence;
        if (member->is_paused && ++pauses == 1)
            text_copy(ret_agent->reason, sizeof(ret_agent->reason), member->reason);
        append_line(ret_agent->queues, sizeof(ret_agent->queues), member->queue);
    }
    bool is_away = memberships > 0 && pauses == memberships;
    ret_agent->presence = device;
    if (is_away && (device == PRESENCE_AVAILABLE || device == PRESENCE_UNKNOWN))
        ret_agent->presence = is_wrap_reason(ret_agent->reason) ? PRESENCE_WRAP : PRESENCE_BREAK;
    if (!is_away)
        ret_agent->reason[0] = 0;
}

static void update_agent(struct asterisk_ami *ami, const char *name)
{
    struct agent *agent = agent_named(ami, name);
    if (!agent)
        return;
    struct agent now;
    appraise(ami, name, &now);
    if (now.presence == agent->presence && strcmp(now.reason, agent->reason) == 0 &&
        strcmp(now.queues, agent->queues) == 0)
        return;
    text_copy(now.name, sizeof(now.name), agent->name);
    *agent = now;
    struct event event;
    start_event(ami, AGENT_STATE_CHANGED, ami->at, &event);
    event.agent = agent->name;
    event.agent_name = agent->name;
    event.agent_queues = agent->queues;
    event.presence = agent->presence;
    event.reason = agent->reason;
    char stamp[32];
    (void)snprintf(stamp, sizeof(stamp), "%lld", (long long)ami->at);
    emit(ami, &event, "agent", *ami->stamp ? ami->stamp : stamp,
         event_presence_name(agent->presence));
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return *a ? a : *b ? b : c;
}

/* The person: MemberName, else the telephone. */
static const char *packet_agent(const struct asterisk_ami *ami)
{
    const char *name = first_of(get(ami, "MemberName"), get(ami, "Name"), "");
    if (*name)
        return name;
    return first_of(get(ami, "StateInterface"), get(ami, "Interface"), get(ami, "Location"));
}

static struct member *packet_member(struct asterisk_ami *ami)
{
    const char *queue = get(ami, "Queue");
    const char *interface = first_of(get(ami, "Interface"), get(ami, "Location"), "");
    for (size_t i = 0; i < ami->member_count; i++) {
        struct member *member = &ami->members[i];
        if (strcmp(member->queue, queue) == 0 && strcmp(member->interface, interface) == 0)
            return member;
    }
    if (ami->member_count == ASTERISK_AMI_MEMBERS) {
        ami->counts.overflows++;
        return NULL;
    }
    struct member *member = &ami->members[ami->member_count++];
    memset(member, 0, sizeof(*member));
    text_copy(member->queue, sizeof(member->queue), queue);
    text_copy(member->interface, sizeof(member->interface), interface);
    return member;
}

/* QueueMember, QueueMemberAdded, QueueMemberStatus, QueueMemberPause: all carry the whole state. */
static void on_member(struct asterisk_ami *ami)
{
    struct member *member = packet_member(ami);
    if (!member)
        return;
    text_copy(member->agent, sizeof(member->agent), packet_agent(ami));
    text_copy(member->state_interface, sizeof(member->state_interface),
              first_of(get(ami, "StateInterface"), member->interface, ""));
    int64_t status = get_number(ami, "Status");
    if (status >= 0)
        member->status = (int)status;
    member->is_paused = is(ami, "Paused", "1");
    text_copy(member->reason, sizeof(member->reason),
              member->is_paused ? first_of(get(ami, "PausedReason"), get(ami, "Reason"), "") : "");
    member->is_listed = true;
    update_agent(ami, member->agent);
}

static void remove_member(struct asterisk_ami *ami, struct member *member)
{
    char name[NAME_SIZE];
    text_copy(name, sizeof(name), member->agent);
    struct member *last = &ami->members[--ami->member_count];
    if (member != last)
        *member = *last;
    update_agent(ami, name);
}

static void on_member_removed(struct asterisk_ami *ami)
{
    struct member *member = packet_member(ami);
    if (!member)
        return;
    if (!*member->agent)
        text_copy(member->agent, sizeof(member->agent), packet_agent(ami));
    remove_member(ami, member);
}

static void on_device_state(struct asterisk_ami *ami)
{
    if (ami_packet_has(ami->packet, "ActionID"))
        return; /* an item of somebody's DeviceStateList */
    int status = status_of_device_state(get(ami, "State"));
    const char *device = get(ami, "Device");
    for (size_t i = 0; i < ami->member_count && status >= 0; i++) {
        struct member *member = &ami->members[i];
        if (strcmp(member->state_interface, device) != 0)
            continue;
        member->status = status;
        update_agent(ami, member->agent);
    }
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool is_inbound_context(const struct asterisk_ami *ami, const char *context)
{
    size_t len = strchr(context, ',') ? 0 : strlen(context);
    for (const char *at = ami->contexts; len > 0 && (at = strstr(at, context)); at += len) {
        bool begins = at == ami->contexts || at[-1] == ',';
        if (begins && (at[len] == ',' || at[len] == 0))
            return true;
    }
    return false;
}

static bool is_trunk(const struct asterisk_ami *ami, const char *device)
{
    for (size_t i = 0; i < ami->trunk_count; i++) {
        if (strcmp(ami->trunks[i], device) == 0)
            return true;
    }
    return false;
}

static void learn_trunk(struct asterisk_ami *ami, const char *channel)
{
    char device[NAME_SIZE];
    device_of(channel, device, sizeof(device));
    if (!is_trunk(ami, device) && ami->trunk_count < TRUNKS_MAX)
        text_copy(ami->trunks[ami->trunk_count++], NAME_SIZE, device);
}

static bool was_originated(const struct asterisk_ami *ami, const char *id)
{
    for (size_t i = 0; i < ORIGINATED_MAX; i++) {
        if (*id && strcmp(ami->originated[i], id) == 0)
            return true;
    }
    return false;
}

/* An inbound call rings in a context where calls from outside arrive. Legs that we dial start in
 * state Down, calls of our own people in other contexts. */
static void on_new_channel(struct asterisk_ami *ami)
{
    if (!is(ami, "ChannelState", "4") || !is_inbound_context(ami, get(ami, "Context")) ||
        packet_contact(ami))
        return;
    struct contact *contact = add_contact(ami, get(ami, "Uniqueid"), get(ami, "Linkedid"));
    if (!contact)
        return;
    contact->is_inbound = true;
    learn_trunk(ami, get(ami, "Channel"));
    char number[NAME_SIZE];
    struct event event;
    start_contact_event(ami, contact, CONTACT_STARTED, ami->at, &event);
    event.direction = DIRECTION_INBOUND;
    event.entry_point = get(ami, "Exten");
    event.customer_address =
        event_address_of(ami_packet_unescaped(ami->packet, "CallerIDNum", number, sizeof(number)));
    emit_contact(ami, contact, &event);
}

static void link_contact(struct asterisk_ami *ami, struct contact *contact,
                         const struct contact *root)
{
    const char *root_id = *root->root ? root->root : root->id;
    if (*contact->root || root == contact || strcmp(root_id, contact->id) == 0)
        return;
    text_copy(contact->root, sizeof(contact->root), root_id);
    struct event event;
    start_contact_event(ami, contact, CONTACT_LINKED, ami->at, &event);
    event.root_contact_id = contact->root;
    emit(ami, &event, "linked", "", contact->root);
}

static void emit_left(struct asterisk_ami *ami, struct contact *contact, enum event_type type,
                      enum outcome outcome, const char *reason)
{
    struct event event;
    start_contact_event(ami, contact, type, contact->left_at, &event);
    event.queue = contact->stay.queue;
    event.outcome = outcome;
    event.reason = reason;
    event.ended_by =
        outcome == OUTCOME_ABANDONED || outcome == OUTCOME_EXIT_KEY ? PARTY_CUSTOMER : PARTY_SYSTEM;
    emit(ami, &event, "left", contact->left_stamp, "");
    enter_phase(ami, contact, PHASE_STARTED);
}

/* The caller left the queue some packets ago, and now the stream says something that comes only
 * when neither an agent nor a QUEUESTATUS explains it. */
static void settle_leaving(struct asterisk_ami *ami, struct contact *contact, const char *key)
{
    if (contact->phase == PHASE_GIVEN_UP)
        emit_left(ami, contact, CONTACT_ABANDONED, OUTCOME_ABANDONED, "");
    else if (contact->phase == PHASE_LEFT)
        emit_left(ami, contact, CONTACT_LEFT_QUEUE, OUTCOME_EXIT_KEY, key);
}

static void on_join(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        contact = add_contact(ami, get(ami, "Uniqueid"), get(ami, "Linkedid"));
    if (!contact)
        return;
    settle_leaving(ami, contact, "");
    /* One person behind a second channel: a transfer by an agent behind a Local channel. */
    struct contact *root = find_contact(ami, contact->linkedid);
    if (root)
        link_contact(ami, contact, root);
    if (contact->phase == PHASE_TALKING)
        contact->left_stay = contact->stay;
    memset(&contact->stay, 0, sizeof(contact->stay));
    text_copy(contact->stay.queue, sizeof(contact->stay.queue), get(ami, "Queue"));
    contact->is_entry_known = true;
    enter_phase(ami, contact, PHASE_WAITING);
    char number[NAME_SIZE];
    struct event event;
    start_contact_event(ami, contact, CONTACT_QUEUED, ami->at, &event);
    event.queue = contact->stay.queue;
    int64_t position = get_number(ami, "Position");
    event.position = position > 0 ? (uint32_t)position : 0;
    event.customer_address =
        event_address_of(ami_packet_unescaped(ami->packet, "CallerIDNum", number, sizeof(number)));
    event.direction = contact->is_inbound                ? DIRECTION_INBOUND
                      : was_originated(ami, contact->id) ? DIRECTION_OUTBOUND
                                                         : DIRECTION_UNKNOWN;
    emit_contact(ami, contact, &event);
}

static void on_offer(struct asterisk_ami *ami, enum event_type type, const char *reason,
                     int64_t ring_ms)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        return;
    struct event event;
    start_contact_event(ami, contact, type, ami->at, &event);
    event.queue = get(ami, "Queue");
    event.agent = packet_agent(ami);
    event.agent_name = event.agent;
    event.reason = reason;
    event.ring_ms = ring_ms;
    emit_contact(ami, contact, &event);
}

static void on_connect(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        contact = add_contact(ami, get(ami, "Uniqueid"), get(ami, "Linkedid"));
    if (!contact)
        return;
    struct stay *stay = &contact->stay;
    text_copy(stay->queue, sizeof(stay->queue), get(ami, "Queue"));
    text_copy(stay->agent, sizeof(stay->agent), packet_agent(ami));
    text_copy(stay->interface, sizeof(stay->interface), get(ami, "Interface"));
    stay->transferred = false;
    if (strcmp(contact->left_stay.interface, stay->interface) == 0)
        memset(&contact->left_stay, 0, sizeof(contact->left_stay));
    enter_phase(ami, contact, PHASE_TALKING);
    struct event event;
    start_contact_event(ami, contact, CONTACT_ANSWERED, ami->at, &event);
    event.queue = stay->queue;
    event.agent = stay->agent;
    event.agent_name = stay->agent;
    event.hold_ms = 0; /* holds will be told */
    int64_t ring_s = get_number(ami, "RingTime");
    int64_t wait_s = get_number(ami, "HoldTime");
    event.ring_ms = ring_s < 0 ? -1 : ring_s * 1000;
    if (!contact->is_entry_known && wait_s >= 0)
        event.wait_ms = wait_s * 1000;
    emit_contact(ami, contact, &event);
}

/* Takes the visit that an AgentComplete speaks of: the one whose agent has that Interface, be it
 * the current one or, when the caller has already joined the next queue, the one before. */
static bool take_completed(struct contact *contact, const char *interface, struct stay *ret_stay)
{
    /* Of a call that was answered in an earlier life only the person is known. */
    bool is_recalled = !*contact->stay.interface && *contact->stay.agent;
    if (contact->phase == PHASE_TALKING &&
        (is_recalled || strcmp(contact->stay.interface, interface) == 0)) {
        *ret_stay = contact->stay;
        return true;
    }
    if (*contact->left_stay.interface && strcmp(contact->left_stay.interface, interface) == 0) {
        *ret_stay = contact->left_stay;
        memset(&contact->left_stay, 0, sizeof(contact->left_stay));
        return true;
    }
    return false;
}

static void on_complete(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    struct contact unknown = {0};
    if (!contact) {
        /* Its call was never heard of, or is already hung up. */
        text_copy(unknown.id, sizeof(unknown.id), get(ami, "Uniqueid"));
        contact = &unknown;
    }
    struct stay stay = {0};
    bool is_known = take_completed(contact, get(ami, "Interface"), &stay);
    if (is_known && contact->phase == PHASE_TALKING &&
        strcmp(contact->stay.interface, stay.interface) == 0)
        enter_phase(ami, contact, PHASE_STARTED);
    if (stay.transferred)
        return;
    bool is_transfer = is(ami, "Reason", "transfer");
    bool is_caller = is(ami, "Reason", "caller");
    struct event event;
    start_contact_event(ami, contact, is_transfer ? CONTACT_TRANSFERRED : CONTACT_AGENT_ENDED,
                        ami->at, &event);
    event.queue = get(ami, "Queue");
    event.agent = packet_agent(ami);
    event.agent_name = event.agent;
    event.outcome = is_transfer ? OUTCOME_TRANSFERRED
                    : is_caller ? OUTCOME_COMPLETED_BY_CALLER
                                : OUTCOME_COMPLETED_BY_AGENT;
    event.ended_by = is_caller ? PARTY_CUSTOMER : PARTY_AGENT;
    int64_t wait_s = get_number(ami, "HoldTime");
    int64_t talk_s = get_number(ami, "TalkTime");
    if (!is_known && wait_s >= 0 && talk_s >= 0) {
        event.wait_ms = wait_s * 1000;
        event.talk_ms = talk_s * 1000;
        event.talk_includes_hold = true;
    }
    emit_contact(ami, contact, &event);
}

static void on_abandon(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact || contact->phase != PHASE_WAITING)
        return;
    contact->left_at = ami->at;
    char text[32];
    text_copy(contact->left_stamp, sizeof(contact->left_stamp), stamp_of(ami, contact, text));
    enter_phase(ami, contact, PHASE_GIVEN_UP);
}

static void on_leave(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact || contact->phase != PHASE_WAITING)
        return;
    contact->left_at = ami->at;
    char text[32];
    text_copy(contact->left_stamp, sizeof(contact->left_stamp), stamp_of(ami, contact, text));
    enter_phase(ami, contact, PHASE_LEFT);
}

static void refuse(struct asterisk_ami *ami, const char *status)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        contact = add_contact(ami, get(ami, "Uniqueid"), get(ami, "Linkedid"));
    if (!contact)
        return;
    struct event event;
    start_contact_event(ami, contact, CONTACT_REFUSED, ami->at, &event);
    event.queue = contact->stay.queue;
    event.outcome = OUTCOME_REFUSED;
    event.reason = status;
    emit_contact(ami, contact, &event);
}

static void on_variable(struct asterisk_ami *ami)
{
    if (!is(ami, "Variable", "QUEUESTATUS"))
        return;
    const char *status = get(ami, "Value");
    if (strcmp(status, "FULL") == 0 || strcmp(status, "JOINEMPTY") == 0 ||
        strcmp(status, "JOINUNAVAIL") == 0) {
        refuse(ami, status);
        return;
    }
    struct contact *contact = packet_contact(ami);
    if (!contact || (contact->phase != PHASE_GIVEN_UP && contact->phase != PHASE_LEFT))
        return;
    if (strcmp(status, "TIMEOUT") == 0)
        emit_left(ami, contact, CONTACT_LEFT_QUEUE, OUTCOME_TIMEOUT, status);
    else if (strcmp(status, "LEAVEEMPTY") == 0 || strcmp(status, "LEAVEUNAVAIL") == 0)
        emit_left(ami, contact, CONTACT_LEFT_QUEUE, OUTCOME_LEFT_EMPTY, status);
    else if (strcmp(status, "WITHDRAW") == 0)
        emit_left(ami, contact, CONTACT_LEFT_QUEUE, OUTCOME_WITHDRAWN, status);
    else
        settle_leaving(ami, contact, "");
}

static void on_new_exten(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        return;
    settle_leaving(ami, contact, get(ami, "Extension"));
    /* A queue that refuses says nothing, so remember which one was asked. */
    if (is(ami, "Application", "Queue") && contact->phase == PHASE_STARTED) {
        const char *data = get(ami, "AppData");
        struct slice queue = {data, strcspn(data, ",")};
        text_copy_slice(contact->stay.queue, sizeof(contact->stay.queue), queue);
    }
}

static void on_hangup(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (!contact)
        return;
    settle_leaving(ami, contact, "");
    struct event event;
    start_contact_event(ami, contact, CONTACT_ENDED, ami->at, &event);
    event.ended_at = ami->at;
    event.ended_by = contact->hangup_requested ? PARTY_CUSTOMER : PARTY_UNKNOWN;
    event.reason = get(ami, "Cause-txt");
    emit_contact(ami, contact, &event);
    remove_contact(ami, contact);
}

static void on_hangup_request(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (contact)
        contact->hangup_requested = true;
}

/* --- what agents do with a call --------------------------------------------------------------- */

/* The contact that talks over this channel of an agent. Channels of a call share the Linkedid;
 * where two contacts of one Linkedid talk, the agent's telephone decides. */
static struct contact *contact_of_agent_leg(struct asterisk_ami *ami, const char *channel,
                                            const char *linkedid)
{
    char device[NAME_SIZE];
    device_of(channel, device, sizeof(device));
    struct contact *only = NULL;
    for (size_t i = 0; i < ami->contact_count; i++) {
        struct contact *contact = &ami->contacts[i];
        if (contact->phase != PHASE_TALKING || contact->stay.transferred ||
            strcmp(contact->linkedid, linkedid) != 0)
            continue;
        const struct member *member = member_of_interface(ami, contact->stay.interface);
        const char *telephone = member ? member->state_interface : contact->stay.interface;
        if (strcmp(telephone, device) == 0)
            return contact;
        if (!member)
            only = contact;
    }
    return only;
}

static void on_hold(struct asterisk_ami *ami, enum event_type type)
{
    if (packet_contact(ami))
        return; /* the caller's own telephone holds the call */
    struct contact *contact = contact_of_agent_leg(ami, get(ami, "Channel"), get(ami, "Linkedid"));
    if (!contact)
        return;
    struct event event;
    start_contact_event(ami, contact, type, ami->at, &event);
    event.queue = contact->stay.queue;
    event.agent = contact->stay.agent;
    event.agent_name = contact->stay.agent;
    emit_contact(ami, contact, &event);
}

static void emit_transfer(struct asterisk_ami *ami, struct contact *contact, enum outcome outcome,
                          const char *to_address)
{
    if (!contact)
        return;
    contact->stay.transferred = true;
    struct event event;
    start_contact_event(ami, contact, CONTACT_TRANSFERRED, ami->at, &event);
    event.queue = contact->stay.queue;
    event.agent = contact->stay.agent;
    event.agent_name = contact->stay.agent;
    event.outcome = outcome;
    event.ended_by = PARTY_AGENT;
    event.to_address = to_address;
    emit_contact(ami, contact, &event);
}

static void on_blind_transfer(struct asterisk_ami *ami)
{
    if (!is(ami, "Result", "Success"))
        return;
    struct contact *contact =
        contact_of_agent_leg(ami, get(ami, "TransfererChannel"), get(ami, "TransfererLinkedid"));
    emit_transfer(ami, contact, OUTCOME_BLIND_TRANSFER, get(ami, "Extension"));
}

static void on_attended_transfer(struct asterisk_ami *ami)
{
    if (!is(ami, "Result", "Success"))
        return;
    struct contact *contact = contact_of_agent_leg(ami, get(ami, "OrigTransfererChannel"),
                                                   get(ami, "OrigTransfererLinkedid"));
    if (!contact)
        contact = find_contact(ami, get(ami, "TransfereeUniqueid"));
    if (!contact || contact->phase != PHASE_TALKING)
        return;
    char number[NAME_SIZE];
    ami_packet_unescaped(ami->packet, "SecondTransfererConnectedLineNum", number, sizeof(number));
    emit_transfer(ami, contact, OUTCOME_ATTENDED_TRANSFER, number);
    /* The agent asked a queue first: the call that the agent made is now the customer's. */
    struct contact *asked = find_contact(ami, get(ami, "SecondTransfererUniqueid"));
    if (asked)
        link_contact(ami, asked, contact);
}

static void on_survey(struct asterisk_ami *ami)
{
    double score;
    if (text_to_double(slice_of(get(ami, "Score")), &score))
        return; /* asked, but no valid answer */
    const char *id = first_of(get(ami, "CallUniqueid"), get(ami, "Uniqueid"), "");
    struct contact *contact = find_contact(ami, id);
    struct contact unknown = {0};
    if (!contact) {
        text_copy(unknown.id, sizeof(unknown.id), id);
        contact = &unknown;
    }
    bool is_nps = strcasecmp(get(ami, "UserEvent"), "NPS") == 0;
    struct event event;
    start_contact_event(ami, contact, FEEDBACK_RECEIVED, ami->at, &event);
    event.queue = get(ami, "Queue");
    event.agent = get(ami, "Agent");
    event.instrument = is_nps ? "nps" : "csat";
    event.has_score = true;
    event.score = score;
    event.score_min = is_nps ? 0 : 1;
    event.score_max = is_nps ? 10 : 5;
    emit_contact(ami, contact, &event);
}

static void on_user_event(struct asterisk_ami *ami)
{
    const char *name = get(ami, "UserEvent");
    if (strcasecmp(name, "CSAT") == 0 || strcasecmp(name, "NPS") == 0) {
        on_survey(ami);
        return;
    }
    struct contact *contact = packet_contact(ami);
    if (!contact)
        return;
    settle_leaving(ami, contact, get(ami, "Key"));
    if (strcasecmp(name, "CallbackRequested") != 0)
        return;
    struct event event;
    start_contact_event(ami, contact, CONTACT_UPDATED, ami->at, &event);
    event.disposition = "callback_requested";
    emit_contact(ami, contact, &event);
}

static void on_originate_response(struct asterisk_ami *ami)
{
    if (!is(ami, "Response", "Success"))
        return;
    const char *id = get(ami, "Uniqueid");
    text_copy(ami->originated[ami->originated_next], ID_SIZE, id);
    ami->originated_next = (ami->originated_next + 1) % ORIGINATED_MAX;
    struct contact *contact = find_contact(ami, id);
    if (!contact)
        return;
    struct event event;
    start_contact_event(ami, contact, CONTACT_UPDATED, ami->at, &event);
    event.direction = DIRECTION_OUTBOUND;
    emit_contact(ami, contact, &event);
}

/* --- after a reconnect ------------------------------------------------------------------------ */

static void emit_started(struct asterisk_ami *ami, struct contact *contact, int64_t at)
{
    char number[NAME_SIZE];
    struct event event;
    start_contact_event(ami, contact, CONTACT_STARTED, at, &event);
    event.started_at = at;
    event.reason = "snapshot";
    event.customer_address =
        event_address_of(ami_packet_unescaped(ami->packet, "CallerIDNum", number, sizeof(number)));
    emit_derived(ami, &event, "snapshot_started");
}

/* An item of QueueStatus: somebody is waiting. */
static void on_queue_entry(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    bool is_new = !contact;
    if (is_new) /* the Linkedid comes with the list of channels */
        contact = add_contact(ami, get(ami, "Uniqueid"), get(ami, "Uniqueid"));
    if (!contact)
        return;
    const char *queue = get(ami, "Queue");
    contact->is_listed_waiting = true;
    contact->is_listed = true;
    if (contact->phase == PHASE_WAITING && strcmp(contact->stay.queue, queue) == 0)
        return;
    int64_t wait_s = get_number(ami, "Wait");
    int64_t entered_at = ami->at - (wait_s > 0 ? wait_s : 0) * US_PER_S;
    if (is_new)
        emit_started(ami, contact, entered_at);
    text_copy(contact->stay.queue, sizeof(contact->stay.queue), queue);
    contact->is_entry_known = true;
    enter_phase(ami, contact, PHASE_WAITING);
    struct event event;
    start_contact_event(ami, contact, CONTACT_QUEUED, entered_at, &event);
    event.queue = contact->stay.queue;
    event.queued_at = entered_at;
    event.reason = "snapshot";
    emit_derived(ami, &event, "snapshot_queued");
}

static void note_leg(struct asterisk_ami *ami, const char *bridge)
{
    struct snapshot *snapshot = &ami->snapshot;
    if (!*bridge)
        return;
    if (snapshot->leg_count == LEGS_MAX) {
        ami->counts.overflows++;
        return;
    }
    struct leg *leg = &snapshot->legs[snapshot->leg_count++];
    text_copy(leg->bridge, sizeof(leg->bridge), bridge);
    device_of(get(ami, "Channel"), leg->peer, sizeof(leg->peer));
}

/* "01:02:03" */
static int64_t duration_of(const char *text)
{
    int hours;
    int minutes;
    int seconds;
    /* NOLINTNEXTLINE(cert-err34-c): the PBX's own format; what does not fit counts as nothing. */
    if (sscanf(text, "%d:%d:%d", &hours, &minutes, &seconds) != 3)
        return 0;
    return (hours * INT64_C(3600) + minutes * INT64_C(60) + seconds) * US_PER_S;
}

/* An item of CoreShowChannels. Of the unknown channels only a caller in a queue, or a call from
 * where inbound calls come, is a contact. */
static void on_listed_channel(struct asterisk_ami *ami)
{
    const char *bridge = first_of(get(ami, "BridgeId"), get(ami, "BridgeID"), "");
    note_leg(ami, bridge);
    const char *id = get(ami, "Uniqueid");
    const char *linkedid = get(ami, "Linkedid");
    bool in_queue = is(ami, "Application", "Queue");
    struct contact *contact = find_contact(ami, id);
    if (!contact) {
        char device[NAME_SIZE];
        device_of(get(ami, "Channel"), device, sizeof(device));
        bool is_inbound = strcmp(id, linkedid) == 0 && is_trunk(ami, device) &&
                          (is(ami, "ChannelState", "6") || is(ami, "ChannelState", "4"));
        if (!in_queue && !is_inbound)
            return;
        contact = add_contact(ami, id, linkedid);
        if (!contact)
            return;
        contact->touched = 0; /* seen by the snapshot only: finish_contact may conclude */
        emit_started(ami, contact, ami->at - duration_of(get(ami, "Duration")));
    }
    text_copy(contact->linkedid, sizeof(contact->linkedid), linkedid);
    text_copy(contact->bridge, sizeof(contact->bridge), bridge);
    contact->is_listed = true;
    contact->is_in_queue_application = in_queue;
    const char *data = get(ami, "ApplicationData");
    struct slice queue = {data, strcspn(data, ",")};
    if (in_queue && !*contact->stay.queue)
        text_copy_slice(contact->stay.queue, sizeof(contact->stay.queue), queue);
}

static const struct member *agent_in_bridge(const struct asterisk_ami *ami, const char *bridge)
{
    const struct snapshot *snapshot = &ami->snapshot;
    for (size_t i = 0; i < snapshot->leg_count; i++) {
        if (strcmp(snapshot->legs[i].bridge, bridge) != 0)
            continue;
        const struct member *member = member_of_device(ami, snapshot->legs[i].peer);
        if (member)
            return member;
    }
    return NULL;
}

static void emit_gap_event(struct asterisk_ami *ami, struct contact *contact, enum event_type type)
{
    struct event event;
    start_contact_event(ami, contact, type, ami->at, &event);
    event.queue = contact->stay.queue;
    event.agent = type == CONTACT_LEFT_QUEUE ? "" : contact->stay.agent;
    event.reason = "gap";
    emit_derived(ami, &event, event_type_name(type));
}

/* Answered while nobody listened. */
static void answer_in_gap(struct asterisk_ami *ami, struct contact *contact)
{
    const struct member *member = agent_in_bridge(ami, contact->bridge);
    if (member) {
        text_copy(contact->stay.agent, sizeof(contact->stay.agent), member->agent);
        text_copy(contact->stay.interface, sizeof(contact->stay.interface), member->interface);
    }
    emit_gap_event(ami, contact, CONTACT_ANSWERED);
    enter_phase(ami, contact, PHASE_TALKING);
}

/* False if the contact is over. Nothing that happened since the snapshot was asked for is judged.
 */
static bool finish_contact(struct asterisk_ami *ami, struct contact *contact)
{
    if (contact->touched >= ami->snapshot.since_packet)
        return true;
    if (!contact->is_listed) {
        struct event event;
        start_contact_event(ami, contact, CONTACT_ENDED, ami->at, &event);
        event.ended_at = ami->at;
        event.reason = "ended_in_gap";
        emit_derived(ami, &event, "ended_in_gap");
        return false;
    }
    bool is_talking = contact->is_in_queue_application && *contact->bridge;
    if (contact->phase == PHASE_TALKING && !contact->is_in_queue_application) {
        emit_gap_event(ami, contact, CONTACT_AGENT_ENDED);
        enter_phase(ami, contact, PHASE_STARTED);
    } else if (contact->phase != PHASE_TALKING && !contact->is_listed_waiting && is_talking) {
        answer_in_gap(ami, contact);
    } else if (contact->phase == PHASE_WAITING && !contact->is_listed_waiting) {
        emit_gap_event(ami, contact, CONTACT_LEFT_QUEUE);
        enter_phase(ami, contact, PHASE_STARTED);
    }
    return true;
}

static void emit_source_gap(struct asterisk_ami *ami)
{
    struct snapshot *snapshot = &ami->snapshot;
    if (!snapshot->has_gap || snapshot->gap_from <= 0 || snapshot->gap_from >= ami->at)
        return;
    struct event event;
    start_event(ami, SOURCE_GAP, ami->at, &event);
    event.gap_from_at = snapshot->gap_from;
    event.reason = "disconnected";
    char stamp[32];
    (void)snprintf(stamp, sizeof(stamp), "%lld", (long long)snapshot->gap_from);
    emit(ami, &event, "gap", stamp, "");
}

static void finish_snapshot(struct asterisk_ami *ami)
{
    struct snapshot *snapshot = &ami->snapshot;
    if (!snapshot->has_queues || !snapshot->has_channels)
        return;
    snapshot->is_awaited = false;
    emit_source_gap(ami);
    if (snapshot->is_refused)
        return;
    ami->counts.snapshots++;
    for (size_t i = ami->contact_count; i-- > 0;) {
        if (!finish_contact(ami, &ami->contacts[i]))
            remove_contact(ami, &ami->contacts[i]);
    }
    for (size_t i = ami->member_count; i-- > 0;) {
        if (!ami->members[i].is_listed)
            remove_member(ami, &ami->members[i]);
    }
}

/* True if the packet belongs to one of the two lists that were asked for. */
static bool is_ours(const struct asterisk_ami *ami)
{
    const char *id = get(ami, "ActionID");
    return ami->snapshot.is_awaited && *id &&
           (strcmp(id, ami->snapshot.queues_id) == 0 || strcmp(id, ami->snapshot.channels_id) == 0);
}

static void on_list_packet(struct asterisk_ami *ami, const char *event)
{
    struct snapshot *snapshot = &ami->snapshot;
    if (strcmp(event, "QueueMember") == 0) {
        on_member(ami);
    } else if (strcmp(event, "QueueEntry") == 0) {
        on_queue_entry(ami);
    } else if (strcmp(event, "CoreShowChannel") == 0) {
        on_listed_channel(ami);
    } else if (strcmp(event, "QueueStatusComplete") == 0) {
        snapshot->has_queues = true;
        finish_snapshot(ami);
    } else if (strcmp(event, "CoreShowChannelsComplete") == 0) {
        snapshot->has_channels = true;
        finish_snapshot(ami);
    }
}

static void on_response(struct asterisk_ami *ami)
{
    if (!is_ours(ami) || !is(ami, "Response", "Error"))
        return;
    ami->snapshot.is_refused = true;
    ami->counts.snapshot_refused++;
    if (strcmp(get(ami, "ActionID"), ami->snapshot.queues_id) == 0)
        ami->snapshot.has_queues = true;
    else
        ami->snapshot.has_channels = true;
    finish_snapshot(ami);
}

/* --- the stream ------------------------------------------------------------------------------- */

static void on_agent_called(struct asterisk_ami *ami)
{
    on_offer(ami, CONTACT_OFFERED, "", -1);
}

static void on_ring_no_answer(struct asterisk_ami *ami)
{
    on_offer(ami, CONTACT_OFFER_FAILED, "no_answer", get_number(ami, "RingTime"));
}

static void on_agent_dump(struct asterisk_ami *ami)
{
    on_offer(ami, CONTACT_OFFER_FAILED, "rejected", -1);
}

static void on_held(struct asterisk_ami *ami)
{
    on_hold(ami, CONTACT_HELD);
}

static void on_resumed(struct asterisk_ami *ami)
{
    on_hold(ami, CONTACT_RESUMED);
}

static void on_soft_hangup(struct asterisk_ami *ami)
{
    struct contact *contact = packet_contact(ami);
    if (contact)
        settle_leaving(ami, contact, "");
}

static const struct {
    const char *event;
    void (*handle)(struct asterisk_ami *ami);
} handlers[] = {
    {"VarSet", on_variable},
    {"Newexten", on_new_exten},
    {"DeviceStateChange", on_device_state},
    {"QueueMemberStatus", on_member},
    {"Newchannel", on_new_channel},
    {"Hangup", on_hangup},
    {"HangupRequest", on_hangup_request},
    {"SoftHangupRequest", on_soft_hangup},
    {"QueueCallerJoin", on_join},
    {"QueueCallerLeave", on_leave},
    {"QueueCallerAbandon", on_abandon},
    {"AgentCalled", on_agent_called},
    {"AgentRingNoAnswer", on_ring_no_answer},
    {"AgentDump", on_agent_dump},
    {"AgentConnect", on_connect},
    {"AgentComplete", on_complete},
    {"Hold", on_held},
    {"Unhold", on_resumed},
    {"BlindTransfer", on_blind_transfer},
    {"AttendedTransfer", on_attended_transfer},
    {"UserEvent", on_user_event},
    {"OriginateResponse", on_originate_response},
    {"QueueMemberAdded", on_member},
    {"QueueMemberPause", on_member},
    {"QueueMemberPenalty", on_member},
    {"QueueMemberRinginuse", on_member},
    {"QueueMemberRemoved", on_member_removed},
};

static void set_time(struct asterisk_ami *ami, int64_t arrived_at)
{
    ami->stamp = get(ami, "Timestamp");
    int64_t at = parse_timestamp(ami->stamp);
    if (!at) {
        ami->stamp = "";
        ami->at = arrived_at + ami->ahead_us;
        if (ami->is_stamped)
            return; /* an item of a list */
        at = ami->at;
    } else {
        ami->is_stamped = true;
        ami->ahead_us = at - arrived_at;
    }
    if (at < ami->heard_at && ami->heard_at - at < DISORDER_US)
        at = ami->heard_at;
    ami->at = at;
    ami->heard_at = at;
}

void asterisk_ami_packet(struct asterisk_ami *ami, const struct ami_packet *packet,
                         int64_t arrived_at)
{
    ami->counts.packets++;
    ami->packet = packet;
    set_time(ami, arrived_at);
    const char *event = get(ami, "Event");
    if (!*event) {
        on_response(ami);
    } else if (is_ours(ami)) {
        on_list_packet(ami, event);
    } else {
        for (size_t i = 0; i < countof(handlers); i++) {
            if (strcmp(handlers[i].event, event) == 0) {
                handlers[i].handle(ami);
                break;
            }
        }
    }
    ami->packet = NULL;
}

struct asterisk_ami *asterisk_ami_new(const struct asterisk_ami_options *options, event_sink *sink,
                                      void *context)
{
    /* Some megabytes, of which only the used part is ever touched. */
    struct asterisk_ami *ami = calloc(1, sizeof(*ami));
    if (!ami)
        return NULL;
    const char *system = options->system && *options->system ? options->system : options->source;
    const char *contexts = options->inbound_contexts && *options->inbound_contexts
                               ? options->inbound_contexts
                               : ASTERISK_AMI_CONTEXTS;
    text_copy(ami->source, sizeof(ami->source), options->source);
    text_copy(ami->system, sizeof(ami->system), system);
    text_copy(ami->site, sizeof(ami->site), options->site ? options->site : "");
    char *to = ami->contexts;
    for (const char *from = contexts; *from && to < ami->contexts + sizeof(ami->contexts) - 1;
         from++) {
        if (*from != ' ')
            *to++ = *from;
    }
    ami->sink = sink;
    ami->sink_context = context;
    ami->stamp = "";
    return ami;
}

void asterisk_ami_free(struct asterisk_ami *ami)
{
    free(ami);
}

void asterisk_ami_recall(struct asterisk_ami *ami, const char *contact_id, const char *queue,
                         int64_t entered_at, const char *agent)
{
    if (find_contact(ami, contact_id))
        return;
    struct contact *contact = add_contact(ami, contact_id, contact_id);
    if (!contact)
        return;
    text_copy(contact->stay.queue, sizeof(contact->stay.queue), queue);
    text_copy(contact->stay.agent, sizeof(contact->stay.agent), agent);
    contact->is_entry_known = entered_at > 0;
    contact->phase = *agent ? PHASE_TALKING : *queue ? PHASE_WAITING : PHASE_STARTED;
}

void asterisk_ami_snapshot(struct asterisk_ami *ami, const char *queues_action_id,
                           const char *channels_action_id, int64_t heard_until)
{
    struct snapshot *snapshot = &ami->snapshot;
    text_copy(snapshot->queues_id, sizeof(snapshot->queues_id), queues_action_id);
    text_copy(snapshot->channels_id, sizeof(snapshot->channels_id), channels_action_id);
    snapshot->is_awaited = true;
    snapshot->has_queues = snapshot->has_channels = snapshot->is_refused = false;
    snapshot->has_gap = ami->is_disconnected || (!ami->is_connected_before && heard_until > 0);
    if (!ami->is_disconnected)
        snapshot->gap_from = heard_until;
    else if (heard_until > snapshot->gap_from)
        snapshot->gap_from = heard_until;
    ami->is_connected_before = true;
    ami->is_disconnected = false;
    snapshot->since_packet = ami->counts.packets + 1;
    snapshot->leg_count = 0;
    for (size_t i = 0; i < ami->contact_count; i++) {
        ami->contacts[i].is_listed = ami->contacts[i].is_listed_waiting = false;
        ami->contacts[i].is_in_queue_application = false;
        ami->contacts[i].bridge[0] = 0;
    }
    for (size_t i = 0; i < ami->member_count; i++)
        ami->members[i].is_listed = false;
}

void asterisk_ami_disconnected(struct asterisk_ami *ami)
{
    if (!ami->is_disconnected)
        ami->snapshot.gap_from = ami->heard_at;
    ami->is_disconnected = true;
    ami->snapshot.is_awaited = false;
}

bool asterisk_ami_is_settled(const struct asterisk_ami *ami)
{
    return !ami->snapshot.is_awaited;
}

struct asterisk_ami_counts asterisk_ami_counts(const struct asterisk_ami *ami)
{
    struct asterisk_ami_counts counts = ami->counts;
    counts.contacts = ami->contact_count;
    counts.members = ami->member_count;
    return counts;
}
