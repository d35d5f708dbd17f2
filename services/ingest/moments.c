/* moments - see the header.
 *
 * load:  which event ids exist; the events of moments that are not cached; who the customers are.
 * apply: per event, in order: customer, moment (or agent, or gap), fold, record; then all rows of
 *        the work at once.
 *
 * What loads have brought is kept until the next load phase begins, which is the first load after
 * an apply: only there may the caches shrink. */
#include "ingest/moments.h"

#include "base/clock.h"
#include "ingest/agents.h"
#include "ingest/cache.h"
#include "ingest/codec.h"
#include "ingest/customers.h"
#include "ingest/store.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows that one work writes. */
struct effects {
    struct event_row *events;
    size_t event_count;
    struct moment_row *moments;
    size_t moment_count, moment_capacity;
    struct customer_row *customers; /* addresses are the work's own strings */
    size_t customer_count;
    struct agent_row *agents;
    size_t agent_count, agent_capacity;
    struct id (*merges)[2]; /* part, whole */
    size_t merge_count, merge_capacity;
};

struct moments {
    struct moments_options options;
    struct cache cache;
    struct customers customers;
    struct agents agents;
    bool has_applied;     /* since the last load phase */
    struct id_set known;  /* ids in the table, and those applied in this transaction */
    struct id_set asked;  /* moments that a read was sent for */
    uint64_t read_number; /* of the last read */
    uint64_t work_number; /* of the work being applied */
    struct effects effects;
    struct moment moment; /* too large for the stack, as are the next two */
    struct moment_frame frame;
    struct wire_moment wire;
    uint32_t *order; /* scratch of fold */
    size_t order_capacity;
    struct moments_counts counts;
};

static void *or_die(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void must(int r)
{
    if (r < 0)
        abort();
}

static bool same_id(const struct id *a, const struct id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- life ------------------------------------------------------------------------------------ */

int moments_new(const struct moments_options *options, struct moments **ret_moments)
{
    struct moments *moments = calloc(1, sizeof(*moments));

    if (!moments)
        return -ENOMEM;
    moments->options = *options;
    cache_init(&moments->cache, options->cache_bytes);
    *ret_moments = moments;
    return 0;
}

static void effects_clear(struct effects *effects)
{
    for (size_t i = 0; i < effects->event_count; i++)
        free(effects->events[i].body);
    for (size_t i = 0; i < effects->moment_count; i++)
        free(effects->moments[i].snapshot);
    free(effects->events);
    free(effects->customers);
    effects->events = NULL;
    effects->customers = NULL;
    effects->event_count = effects->moment_count = effects->customer_count = 0;
    effects->agent_count = effects->merge_count = 0;
}

void moments_forget(struct moments *moments)
{
    cache_clear(&moments->cache);
    customers_clear(&moments->customers);
    agents_clear(&moments->agents);
    id_set_done(&moments->known);
    id_set_done(&moments->asked);
    moments->has_applied = false;
}

void moments_free(struct moments **moments)
{
    if (!*moments)
        return;
    moments_forget(*moments);
    effects_clear(&(*moments)->effects);
    free((*moments)->effects.moments);
    free((*moments)->effects.agents);
    free((*moments)->effects.merges);
    free((*moments)->order);
    free(*moments);
    *moments = NULL;
}

void moments_set_repeat_window(struct moments *moments, int64_t repeat_window_us)
{
    moments->options.repeat_window_us = repeat_window_us;
}

struct moments_counts moments_counts(const struct moments *moments)
{
    struct moments_counts counts = moments->counts;

    counts.cached_bytes = moments->cache.bytes;
    return counts;
}

void moments_each_agent(const struct moments *moments,
                        void (*visit)(void *arg, const char *system, const char *agent), void *arg)
{
    for (const struct agent *agent = moments->agents.all; agent; agent = agent->next)
        visit(arg, agent->system, agent->agent);
}

/* --- load ------------------------------------------------------------------------------------ */

struct read {
    struct moments *moments;
    uint64_t number;
};

static void on_known(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    struct moments *moments = arg;

    (void)error;
    for (size_t row = 0; status == 0 && row < db_count(rows); row++) {
        struct id id;

        db_get_uuid(rows, row, 0, id.bytes);
        must(id_set_add(&moments->known, &id));
    }
}

static void on_moments(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct read *read = arg;

    (void)error;
    if (status == 0)
        cache_take_rows(&read->moments->cache, read->number, rows);
    free(read);
}

static void on_customers(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error)
{
    struct moments *moments = arg;

    (void)error;
    if (status == 0)
        customers_take_rows(&moments->customers, rows);
}

static void on_agents(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct moments *moments = arg;

    (void)error;
    if (status == 0)
        agents_take_rows(&moments->agents, rows);
}

static void begin_loads(struct moments *moments)
{
    id_set_done(&moments->known);
    id_set_done(&moments->asked);
    cache_trim(&moments->cache);
    customers_trim(&moments->customers);
    moments->has_applied = false;
}

static void ask_for(struct moments *moments, const char *system, const char *contact_id,
                    struct id *ids, size_t *count)
{
    struct id id = codec_moment_id(system, contact_id);

    if (cache_find(&moments->cache, &id)) {
        moments->counts.cache_hits++;
        return;
    }
    if (id_set_has(&moments->asked, &id))
        return;
    moments->counts.cache_misses++;
    must(id_set_add(&moments->asked, &id));
    ids[(*count)++] = id;
}

static void load_moments(struct event_work *work, struct txn *txn)
{
    struct moments *moments = work->moments;
    struct id *ids = or_die(calloc(work->events.count * 2 + 1, sizeof(*ids)));
    size_t count = 0;

    for (size_t i = 0; i < work->events.count; i++) {
        const struct event *event = &work->events.items[i];

        if (!codec_is_about_contact(event->type))
            continue;
        ask_for(moments, event->system, event->contact_id, ids, &count);
        if (event->type == CONTACT_LINKED)
            ask_for(moments, event->system, event->root_contact_id, ids, &count);
    }
    if (count > 0) {
        struct read *read = or_die(calloc(1, sizeof(*read)));

        read->moments = moments;
        read->number = ++moments->read_number;
        store_read_moments(txn, ids, count, on_moments, read);
    }
    free(ids);
}

static void load_known(struct event_work *work, struct txn *txn)
{
    struct id *ids = or_die(calloc(work->events.count + 1, sizeof(*ids)));

    for (size_t i = 0; i < work->events.count; i++)
        ids[i] = work->events.items[i].event_id;
    store_read_known(txn, ids, work->events.count, on_known, work->moments);
    free(ids);
}

static void load_customers(struct event_work *work, struct txn *txn)
{
    struct moments *moments = work->moments;
    struct customer_row *rows = or_die(calloc(work->events.count * 2 + 1, sizeof(*rows)));
    size_t count = 0;

    for (size_t i = 0; i < work->events.count; i++) {
        const struct event *event = &work->events.items[i];
        const char *const names[] = {event->customer_ref, event->customer_address};

        for (size_t n = 0; n < countof(names); n++)
            if (names[n][0] != '\0' &&
                !customers_find(&moments->customers, event->system, names[n]))
                rows[count++] = (struct customer_row){.system = event->system, .address = names[n]};
    }
    if (count > 0)
        store_read_customers(txn, rows, count, on_customers, moments);
    free(rows);
}

static void load(struct work *base, struct txn *txn)
{
    struct event_work *work = container_of(base, struct event_work, work);

    if (work->moments->has_applied)
        begin_loads(work->moments);
    if (!work->moments->agents.is_loaded)
        store_read_agents(txn, on_agents, work->moments);
    if (work->events.count == 0)
        return;
    load_known(work, txn);
    load_moments(work, txn);
    load_customers(work, txn);
}

/* --- apply: rows ----------------------------------------------------------------------------- */

/* Room for one more in an array that is kept between works. */
static void *room_for(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 16;
    return or_die(reallocarray(array, *capacity, size));
}

static void pack(const ProtobufCMessage *message, uint8_t **ret_bytes, size_t *ret_len)
{
    must(protobuf_write(message, ret_bytes, ret_len));
}

static struct moment_row *row_of(struct moments *moments, struct group *group)
{
    struct effects *effects = &moments->effects;

    if (group->row_stamp == moments->work_number) {
        free(effects->moments[group->row].snapshot);
    } else {
        effects->moments = room_for(effects->moments, effects->moment_count,
                                    &effects->moment_capacity, sizeof(*effects->moments));
        group->row_stamp = moments->work_number;
        group->row = effects->moment_count++;
    }
    return &effects->moments[group->row];
}

static void newest_times(const struct group *group, struct moment_row *row)
{
    for (size_t i = 0; i < group->events.count; i++) {
        const struct event *event = &group->events.items[i];

        if (event->occurred_at > row->last_event_at)
            row->last_event_at = event->occurred_at;
        if (event->received_at > row->heard_at)
            row->heard_at = event->received_at;
    }
}

/* Writes down the state that was just folded. The row borrows from the group, which lives until
 * the next load phase, or from the frame's group that was merged away: those are copied first. */
static void note_moment(struct moments *moments, struct group *group, const struct id *root)
{
    struct moment_row *row = row_of(moments, group);
    const struct moment *moment = &moments->moment;

    *row = (struct moment_row){
        .moment_id = group->root,
        .root_id = *root,
        .system = group->system,
        .contact_id = group->contact_id,
        .site = moments->frame.site,
        .has_customer = moment->customer_id[0] != '\0',
        .revision = moments->frame.revision,
        .is_open = moment->state != STATE_ENDED && same_id(root, &group->root),
        .started_at = moment->started_at,
        .repeat_contacts = moments->frame.repeat_contacts,
    };
    if (row->has_customer)
        must(id_parse(moment->customer_id, &row->customer_id));
    newest_times(group, row);
    pack(&moments->wire.moment.base, &row->snapshot, &row->len);
}

static void note_event(struct moments *moments, const struct event *event,
                       const struct id *moment_id)
{
    struct event_row *row = &moments->effects.events[moments->effects.event_count++];
    char id_text[ID_TEXT_SIZE];
    Moment__V1__Event wire;

    *row = (struct event_row){
        .event_id = event->event_id,
        .has_moment = moment_id != NULL,
        .source = event->source,
        .system = event->system,
        .type = (int)event->type,
        .occurred_at = event->occurred_at,
        .received_at = event->received_at,
    };
    if (moment_id)
        row->moment_id = *moment_id;
    codec_event_to_wire(event, id_text, &wire);
    pack(&wire.base, &row->body, &row->len);
}

static void note_agent(struct moments *moments, const struct agent *agent)
{
    struct effects *effects = &moments->effects;
    struct agent_row *row = NULL;

    for (size_t i = 0; i < effects->agent_count && !row; i++)
        if (text_is(effects->agents[i].agent, agent->agent) &&
            text_is(effects->agents[i].system, agent->system))
            row = &effects->agents[i];
    if (!row) {
        effects->agents = room_for(effects->agents, effects->agent_count, &effects->agent_capacity,
                                   sizeof(*effects->agents));
        row = &effects->agents[effects->agent_count++];
    }
    *row = (struct agent_row){
        .system = agent->system,
        .agent = agent->agent,
        .name = agent->name,
        .site = agent->site,
        .reason = agent->reason,
        .queues = agent->queues,
        .presence = (int)agent->presence,
        .since = agent->since,
        .last_at = agent->last_at,
    };
}

/* --- apply: moments -------------------------------------------------------------------------- */

static const char *or_site(const struct moments *moments, const char *site)
{
    return site[0] != '\0' ? site : moments->options.site;
}

/* The site of the earliest event: the same whatever order they came in. */
static const char *site_of(const struct moments *moments, const struct group *group)
{
    const struct event *first = &group->events.items[0];

    for (size_t i = 1; i < group->events.count; i++) {
        const struct event *event = &group->events.items[i];

        if (event->occurred_at < first->occurred_at ||
            (event->occurred_at == first->occurred_at &&
             memcmp(&event->event_id, &first->event_id, sizeof(struct id)) < 0))
            first = event;
    }
    return or_site(moments, first->site);
}

static void fold_group(struct moments *moments, const struct group *group)
{
    int64_t from = clock_mono_us();

    if (moments->order_capacity < group->events.count) {
        moments->order_capacity = group->events.count * 2;
        moments->order =
            or_die(reallocarray(moments->order, moments->order_capacity, sizeof(uint32_t)));
    }
    fold(group->events.items, group->events.count, moments->order, &moments->moment);
    moments->counts.folds++;
    moments->counts.fold_seconds += (double)(clock_mono_us() - from) / 1e6;
}

static void name_people(struct moments *moments, const struct group *group)
{
    const char *source = group->events.items[0].source;
    const struct people *people = moments->options.people;
    const struct moment *moment = &moments->moment;
    struct moment_frame *frame = &moments->frame;
    const Moment__V1__Person *person = people_find(people, source, group->system, moment->agent);

    frame->person_id = person ? person->person_id : "";
    frame->team_id = person ? person->team_id : "";
    for (size_t i = 0; i < moment->visit_count; i++) {
        person = people_find(people, source, group->system, moment->visits[i].agent);
        frame->visit_people[i] = person ? person->person_id : "";
    }
}

static uint32_t repeat_contacts(struct moments *moments, struct group *group)
{
    const struct moment *moment = &moments->moment;
    struct customer *customer = customers_by_id(&moments->customers, moment->customer_id);

    if (customer && moment->started_at != 0) {
        customer_was_in(customer, &group->root, moment->started_at);
        group->repeat_contacts = customer_contacts_before(
            customer, &group->root, moment->started_at, moments->options.repeat_window_us);
    }
    return group->repeat_contacts;
}

/* Folds the group and makes moments->wire say the result; whole is null unless it was merged. */
static void snapshot(struct moments *moments, struct group *group, const struct id *whole)
{
    struct moment_frame *frame = &moments->frame;

    fold_group(moments, group);
    id_print(&group->root, frame->moment_id);
    frame->merged_into[0] = '\0';
    if (whole)
        id_print(whole, frame->merged_into);
    frame->system = group->system;
    frame->contact_id = group->contact_id;
    frame->site = site_of(moments, group);
    frame->revision = (uint32_t)group->events.count;
    frame->repeat_contacts = repeat_contacts(moments, group);
    name_people(moments, group);
    codec_moment_to_wire(&moments->moment, frame, &moments->wire);
}

static void emit_moment(struct moments *moments, struct txn *txn, const struct event *event)
{
    Moment__V1__MomentChanged changed;
    Moment__V1__Event wire;
    char id_text[ID_TEXT_SIZE];
    uint8_t *bytes;
    size_t len;

    moment__v1__moment_changed__init(&changed);
    codec_event_to_wire(event, id_text, &wire);
    changed.event = &wire;
    changed.moment = &moments->wire.moment;
    pack(&changed.base, &bytes, &len);
    txn_emit(txn, moments->frame.site, moments->frame.moment_id, "MomentChanged", txn_now_us(txn),
             bytes, len);
    free(bytes);
}

static struct group *group_of(struct moments *moments, const char *system, const char *contact_id)
{
    struct id id = codec_moment_id(system, contact_id);
    struct group *group = cache_find(&moments->cache, &id);

    assert(group); /* load asked for it */
    if (!group->system && same_id(&group->root, &id)) {
        group->system = or_die(strdup(system));
        group->contact_id = or_die(strdup(contact_id));
    }
    return group;
}

static void merge(struct moments *moments, struct txn *txn, struct group *part, struct group *whole,
                  const struct event *event)
{
    struct effects *effects = &moments->effects;
    struct customer *customer;
    struct moment_row *row;

    snapshot(moments, part, &whole->root);
    emit_moment(moments, txn, event);
    customer = customers_by_id(&moments->customers, moments->moment.customer_id);
    if (customer)
        customer_was_not_in(customer, &part->root);
    note_moment(moments, part, &whole->root);
    row = &effects->moments[part->row];
    effects->merges = room_for(effects->merges, effects->merge_count, &effects->merge_capacity,
                               sizeof(*effects->merges));
    effects->merges[effects->merge_count][0] = part->root;
    effects->merges[effects->merge_count++][1] = whole->root;
    /* Strings of the part must outlive it: the whole keeps them from here on. */
    row->system = or_die((void *)(uintptr_t)event_list_text(&whole->events, row->system));
    row->contact_id = or_die((void *)(uintptr_t)event_list_text(&whole->events, row->contact_id));
    row->site = or_die((void *)(uintptr_t)event_list_text(&whole->events, row->site));
    cache_merge(&moments->cache, part, whole);
}

static void apply_to_moment(struct moments *moments, struct txn *txn, const struct event *event)
{
    struct id own_id = codec_moment_id(event->system, event->contact_id);
    struct group *group = group_of(moments, event->system, event->contact_id);

    cache_add_event(&moments->cache, group, event);
    note_event(moments, event, &own_id);
    if (event->type == CONTACT_LINKED) {
        struct group *whole = group_of(moments, event->system, event->root_contact_id);

        if (whole != group) {
            merge(moments, txn, group, whole, event);
            group = whole;
        }
    }
    snapshot(moments, group, NULL);
    emit_moment(moments, txn, event);
    note_moment(moments, group, &group->root);
}

/* --- apply: customers, agents, gaps ---------------------------------------------------------- */

/* Sets event->customer_id from what the source calls the customer, and forgets the latter. */
static void resolve_customer(struct moments *moments, struct event *event)
{
    const char *const names[] = {event->customer_ref, event->customer_address};
    struct customer *customer = NULL;

    for (size_t i = 0; i < countof(names) && !customer; i++)
        if (names[i][0] != '\0')
            customer = customers_find(&moments->customers, event->system, names[i]);
    for (size_t i = 0; i < countof(names); i++) {
        if (names[i][0] == '\0' || customers_find(&moments->customers, event->system, names[i]))
            continue;
        customer = customers_add(&moments->customers, event->system, names[i],
                                 customer ? &customer->id : NULL);
        moments->effects.customers[moments->effects.customer_count++] = (struct customer_row){
            .system = event->system, .address = names[i], .customer_id = customer->id};
    }
    if (customer)
        event->customer_id = customer->text;
    event->customer_ref = event->customer_address = "";
}

static void emit_agent(struct moments *moments, struct txn *txn, const struct agent *agent,
                       const char *source)
{
    const Moment__V1__Person *person =
        people_find(moments->options.people, source, agent->system, agent->agent);
    Moment__V1__AgentChanged changed;
    char *queues = or_die(strdup(agent->queues));
    char *names[64];
    char *rest = queues, *name;
    uint8_t *bytes;
    size_t len;

    moment__v1__agent_changed__init(&changed);
    changed.queues = names;
    while (changed.n_queues < countof(names) && (name = strsep(&rest, "\n")))
        if (name[0] != '\0')
            names[changed.n_queues++] = name;
    changed.source = agent->system;
    changed.agent = agent->agent;
    changed.person_id = person ? person->person_id : changed.person_id;
    changed.name = person ? person->name : agent->name;
    changed.site = agent->site;
    changed.presence = (Moment__V1__AgentPresence)agent->presence;
    changed.since = agent->since;
    changed.reason = agent->reason;
    pack(&changed.base, &bytes, &len);
    txn_emit(txn, or_site(moments, agent->site), agent->key, "AgentChanged", txn_now_us(txn), bytes,
             len);
    free(bytes);
    free(queues);
}

static void apply_to_agent(struct moments *moments, struct txn *txn, const struct event *event)
{
    bool is_new, changed = false;
    struct agent *agent = agents_of(&moments->agents, event, &is_new);

    if (event->type == AGENT_STATE_CHANGED) {
        changed = agent_apply(agent, event);
        if (changed)
            emit_agent(moments, txn, agent, event->source);
    }
    if (is_new || changed)
        note_agent(moments, agent);
}

static void emit_gap(struct moments *moments, struct txn *txn, const struct event *event)
{
    union {
        const char *in;
        char *out;
    } source = {event->source}, system = {event->system}, reason = {event->reason};
    Moment__V1__SourceGap gap;
    uint8_t *bytes;
    size_t len;

    moment__v1__source_gap__init(&gap);
    gap.source = source.out;
    gap.system = system.out;
    gap.from_at = event->gap_from_at;
    gap.to_at = event->occurred_at;
    gap.reason = reason.out;
    pack(&gap.base, &bytes, &len);
    txn_emit(txn, or_site(moments, event->site), event->source, "SourceGap", txn_now_us(txn), bytes,
             len);
    free(bytes);
}

/* --- apply ----------------------------------------------------------------------------------- */

static void apply_event(struct event_work *work, struct txn *txn, const struct event *given)
{
    struct moments *moments = work->moments;
    struct event event = *given;

    if (id_set_has(&moments->known, &event.event_id)) {
        work->duplicate++;
        return;
    }
    must(id_set_add(&moments->known, &event.event_id));
    work->accepted++;
    resolve_customer(moments, &event);
    if (event.agent[0] != '\0')
        apply_to_agent(moments, txn, &event);
    if (codec_is_about_contact(event.type)) {
        apply_to_moment(moments, txn, &event);
        return;
    }
    note_event(moments, &event, NULL);
    if (event.type == SOURCE_GAP)
        emit_gap(moments, txn, &event);
}

static void write_effects(struct moments *moments, struct txn *txn)
{
    const struct effects *effects = &moments->effects;
    int64_t now_us = txn_now_us(txn);

    store_write_customers(txn, effects->customers, effects->customer_count, now_us);
    store_write_events(txn, effects->events, effects->event_count);
    store_write_moments(txn, effects->moments, effects->moment_count);
    for (size_t i = 0; i < effects->merge_count; i++)
        store_write_merge(txn, &effects->merges[i][0], &effects->merges[i][1]);
    store_write_agents(txn, effects->agents, effects->agent_count, now_us);
}

static int apply(struct work *base, struct txn *txn)
{
    struct event_work *work = container_of(base, struct event_work, work);
    struct moments *moments = work->moments;

    moments->has_applied = true;
    moments->work_number++;
    effects_clear(&moments->effects);
    moments->effects.events = or_die(calloc(work->events.count + 1, sizeof(struct event_row)));
    moments->effects.customers =
        or_die(calloc(work->events.count * 2 + 1, sizeof(struct customer_row)));
    work->accepted = work->duplicate = 0;
    for (size_t i = 0; i < work->events.count; i++)
        apply_event(work, txn, &work->events.items[i]);
    write_effects(moments, txn);
    if (work->write_more)
        work->write_more(work, txn);
    effects_clear(&moments->effects);
    return 0;
}

static void on_done(struct work *base, int status, const struct db_error *error)
{
    struct event_work *work = container_of(base, struct event_work, work);

    if (work->done)
        work->done(work, status, error);
    event_work_free(work);
}

static const struct work_ops event_work_ops = {.load = load, .apply = apply, .done = on_done};

struct event_work *event_work_new(struct moments *moments, event_work_fn *done, void *arg)
{
    struct event_work *work = calloc(1, sizeof(*work));

    if (!work)
        return NULL;
    work->work.ops = &event_work_ops;
    work->moments = moments;
    work->done = done;
    work->arg = arg;
    event_list_init(&work->events);
    return work;
}

void event_work_free(struct event_work *work)
{
    event_list_done(&work->events);
    free(work);
}

static int redact_field(struct event_work *work, const char **field)
{
    char text[CODEC_TEXT_MAX + 64];
    const char *clean;

    if ((*field)[0] == '\0')
        return 0;
    text_copy(text, sizeof(text), *field);
    if (redact_text(work->moments->options.redact, text, sizeof(text)) == 0)
        return 0;
    work->moments->counts.redactions++;
    clean = event_list_text(&work->events, text);
    if (!clean)
        return -ENOMEM;
    *field = clean;
    return 0;
}

int event_work_submit(struct stream *stream, struct event_work *work)
{
    for (size_t i = 0; i < work->events.count; i++) {
        struct event *event = &work->events.items[i];

        if (redact_field(work, &event->comment) < 0 || redact_field(work, &event->reason) < 0 ||
            redact_field(work, &event->disposition) < 0 ||
            redact_field(work, &event->customer_signal) < 0)
            return -ENOMEM;
    }
    work->work.bytes = work->events.bytes + sizeof(*work);
    return stream_submit(stream, &work->work);
}
