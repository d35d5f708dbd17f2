/* The recorded call centre A, read by the rules alone: every visit of the truth must come out, from
 * every combination of what a site may have, in every order and every chunking. */
#include "base/clock.h"
#include "ingest/rules/ami_packet.h"
#include "ingest/rules/asterisk_ami.h"
#include "ingest/rules/asterisk_queue_log.h"
#include "ingest/rules/fold.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "tests/fixtures/asterisk/A/"
#define EVENTS_MAX 20000
#define CONTACTS_MAX 200

/* --- events that stay ------------------------------------------------------------------------- */

struct log {
    struct event *events;
    size_t count;
};

static const char *keep(const char *text)
{
    return *text ? strdup(text) : "";
}

static void keep_event(void *context, const struct event *event)
{
    struct log *log = context;
    assert_true(log->count < EVENTS_MAX);
    struct event *kept = &log->events[log->count++];
    *kept = *event;
    const char **const texts[] = {
        &kept->source,           &kept->system,      &kept->contact_id,   &kept->site,
        &kept->customer_id,      &kept->entry_point, &kept->queue,        &kept->agent,
        &kept->reason,           &kept->to_queue,    &kept->to_agent,     &kept->to_address,
        &kept->root_contact_id,  &kept->instrument,  &kept->comment,      &kept->disposition,
        &kept->customer_address, &kept->agent_name,  &kept->agent_queues, &kept->customer_ref,
        &kept->customer_signal,
    };
    for (size_t i = 0; i < countof(texts); i++)
        *texts[i] = keep(*texts[i]);
}

static void open_log(struct log *log)
{
    log->events = calloc(EVENTS_MAX, sizeof(*log->events));
    assert_non_null(log->events);
    log->count = 0;
}

static void close_log(struct log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct event *event = &log->events[i];
        const char *const texts[] = {
            event->source,           event->system,      event->contact_id,   event->site,
            event->customer_id,      event->entry_point, event->queue,        event->agent,
            event->reason,           event->to_queue,    event->to_agent,     event->to_address,
            event->root_contact_id,  event->instrument,  event->comment,      event->disposition,
            event->customer_address, event->agent_name,  event->agent_queues, event->customer_ref,
            event->customer_signal,
        };
        for (size_t j = 0; j < countof(texts); j++) {
            if (*texts[j])
                free((void *)(uintptr_t)texts[j]);
        }
    }
    free(log->events);
}

/* --- the fixtures ----------------------------------------------------------------------------- */

struct bytes {
    char *at;
    size_t len;
};

static struct bytes read_stream(FILE *stream)
{
    struct bytes bytes = {malloc(1 << 24), 0};
    assert_non_null(bytes.at);
    bytes.len = fread(bytes.at, 1, (1 << 24) - 1, stream);
    bytes.at[bytes.len] = 0;
    return bytes;
}

static struct bytes read_packed(const char *path)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "gzip -dc %s", path);
    FILE *stream = popen(command, "r");
    assert_non_null(stream);
    struct bytes bytes = read_stream(stream);
    assert_int_equal(pclose(stream), 0);
    assert_true(bytes.len > 0);
    return bytes;
}

static struct bytes read_plain(const char *path)
{
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    struct bytes bytes = read_stream(stream);
    assert_int_equal(fclose(stream), 0);
    return bytes;
}

/* One recv() of the recorded client. */
struct piece {
    int64_t arrived_at;
    size_t offset;
    size_t len;
};

static size_t read_index(const char *path, struct piece *pieces, size_t max)
{
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    size_t count = 0;
    long long seconds;
    long long micros;
    while (count < max && fscanf(stream, "%lld.%lld %zu %zu", &seconds, &micros,
                                 &pieces[count].offset, &pieces[count].len) == 4)
        pieces[count++].arrived_at = seconds * US_PER_S + micros;
    assert_int_equal(fclose(stream), 0);
    assert_true(count > 0);
    return count;
}

/* --- AMI -------------------------------------------------------------------------------------- */

struct session {
    struct ami_reader reader;
    struct asterisk_ami *ami;
    int64_t now;
};

static void on_packet(void *context, const struct ami_packet *packet)
{
    struct session *session = context;
    asterisk_ami_packet(session->ami, packet, session->now);
}

static void open_session(struct session *session, struct log *log)
{
    const struct asterisk_ami_options options = {.source = "pbx-ami", .system = "pbx"};
    ami_reader_init(&session->reader);
    session->ami = asterisk_ami_new(&options, keep_event, log);
    assert_non_null(session->ami);
    session->now = INT64_C(1795307631) * US_PER_S;
}

static void close_session(struct session *session)
{
    asterisk_ami_free(session->ami);
    ami_reader_done(&session->reader);
}

static void feed(struct session *session, const char *bytes, size_t len)
{
    assert_int_equal(ami_reader_feed(&session->reader, bytes, len, on_packet, session), 0);
}

static struct piece pieces[20000];

static void feed_recorded(struct session *session, const struct bytes *raw, const char *index)
{
    size_t count = read_index(index, pieces, countof(pieces));
    for (size_t i = 0; i < count; i++) {
        session->now = pieces[i].arrived_at;
        assert_true(pieces[i].offset + pieces[i].len <= raw->len);
        feed(session, raw->at + pieces[i].offset, pieces[i].len);
    }
}

static void read_ami(struct log *log)
{
    struct session session;
    open_session(&session, log);
    struct bytes raw = read_packed(A "ami.1.raw.gz");
    feed_recorded(&session, &raw, A "ami.1.idx");
    assert_int_equal(session.reader.packets, 14780);
    assert_int_equal(session.reader.garbage, 0);
    assert_string_equal(session.reader.version, "11.0.0");
    assert_int_equal(asterisk_ami_counts(session.ami).overflows, 0);
    free(raw.at);
    close_session(&session);
}

/* The client that was away for 7 s; its second session asks for the lists ami-cut-26 and -27. */
static void read_ami_cut(struct log *log)
{
    struct session session;
    open_session(&session, log);
    struct bytes raw = read_packed(A "ami-cut.1.raw.gz");
    asterisk_ami_snapshot(session.ami, "ami-cut-2", "ami-cut-3", 0);
    feed_recorded(&session, &raw, A "ami-cut.1.idx");
    assert_true(asterisk_ami_is_settled(session.ami));
    free(raw.at);
    asterisk_ami_disconnected(session.ami);
    ami_reader_reset(&session.reader);
    raw = read_packed(A "ami-cut.2.raw.gz");
    asterisk_ami_snapshot(session.ami, "ami-cut-26", "ami-cut-27", 0);
    assert_false(asterisk_ami_is_settled(session.ami));
    feed_recorded(&session, &raw, A "ami-cut.2.idx");
    assert_true(asterisk_ami_is_settled(session.ami));
    free(raw.at);
    close_session(&session);
}

/* --- queue_log -------------------------------------------------------------------------------- */

static void read_queue_log(struct log *log)
{
    struct asterisk_queue_log *reader = malloc(sizeof(*reader));
    assert_non_null(reader);
    asterisk_queue_log_init(reader, "pbx-log", "pbx", "");
    struct bytes file = read_plain(A "queue_log");
    struct slice rest = {file.at, file.len};
    struct slice line;
    while (asterisk_queue_log_next(&rest, &line)) {
        uint64_t offset = (uint64_t)(line.at - file.at);
        assert_int_equal(asterisk_queue_log_line(reader, line, offset, 0, keep_event, log), 0);
    }
    assert_int_equal(rest.len, 0);
    assert_int_equal(reader->malformed, 0);
    assert_int_equal(reader->ignored, 4); /* QUEUESTART, PENALTY, RINGINUSE twice */
    free(file.at);
    free(reader);
}

/* --- moments ---------------------------------------------------------------------------------- */

struct group {
    const char *contact;
    struct event *events;
    size_t count;
};

static size_t group_events(const struct log *log, struct group *groups)
{
    size_t count = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct event *event = &log->events[i];
        if (!*event->contact_id)
            continue;
        size_t j = 0;
        while (j < count && strcmp(groups[j].contact, event->contact_id) != 0)
            j++;
        if (j == count) {
            assert_true(count < CONTACTS_MAX);
            groups[count++] = (struct group){event->contact_id, calloc(200, sizeof(*event)), 0};
        }
        assert_true(groups[j].count < 200);
        groups[j].events[groups[j].count++] = *event;
    }
    return count;
}

static void free_groups(struct group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(groups[i].events);
}

static void fold_group(const struct group *group, struct moment *moment)
{
    uint32_t order[400];
    fold(group->events, group->count, order, moment);
}

/* Every field, so that equal texts are equal moments. */
static void print_moment(const struct moment *m, char *to, size_t size)
{
    size_t n = 0;
#define PRINT(...) n += (size_t)snprintf(to + n, size - n, __VA_ARGS__)
    PRINT("%d %d %s %" PRId64 " %" PRId64 " %s/%s %s %d %" PRId64 " %" PRId64 " %" PRId64
          " %" PRId64 " %" PRId64 " %d %u %d %.3f %d %s %s %" PRId64 " %s",
          (int)m->channel, (int)m->direction, m->customer_id, m->started_at, m->ended_at, m->queue,
          m->agent, event_outcome_name(m->outcome), (int)m->ended_by, m->wait_ms, m->ring_ms,
          m->talk_ms, m->hold_ms, m->wrap_ms, m->hold_count, m->transfers, (int)m->has_csat,
          m->csat, m->nps, m->disposition, event_state_name(m->state), m->state_since,
          m->merged_into_contact);
    for (size_t i = 0; i < m->quality_count; i++)
        PRINT(" %s", m->quality[i]);
    for (size_t i = 0; i < m->signal_count; i++)
        PRINT(" \"%s\"", m->signals[i]);
    for (size_t i = 0; i < m->visit_count; i++) {
        const struct visit *v = &m->visits[i];
        PRINT("\n  %s %" PRId64 " %" PRId64 " %" PRId64 " %s %" PRId64 " %" PRId64 " %" PRId64
              " %" PRId64 " %" PRId64 " %d %s %d %u %u %d %.3f",
              v->queue, v->entered_at, v->answered_at, v->ended_at, v->agent, v->wait_ms,
              v->ring_ms, v->talk_ms, v->hold_ms, v->hold_longest_ms, v->hold_count,
              event_outcome_name(v->outcome), (int)v->ended_by, v->offers, v->offer_failures,
              (int)v->has_csat, v->csat);
    }
#undef PRINT
    assert_true(n < size);
}

/* --- the truth -------------------------------------------------------------------------------- */

enum { KNOWS_HOLDS = 1, IN_WHOLE_SECONDS = 2, MAY_HAVE_MISSED = 4, WITHOUT_QUEUELESS = 8 };

static const struct group *group_of(const struct group *groups, size_t count, const char *contact)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(groups[i].contact, contact) == 0)
            return &groups[i];
    }
    return NULL;
}

static void check_visit(const char *contact, const struct visit *visit, char *columns[],
                        unsigned what)
{
    char line[512];
    (void)snprintf(
        line, sizeof(line),
        "%s %s: %s by %s, wait %" PRId64 " talk %" PRId64 " hold %" PRId64 " (%d) offers failed %u",
        contact, visit->queue, event_outcome_name(visit->outcome), visit->agent, visit->wait_ms,
        visit->talk_ms, visit->hold_ms, visit->hold_count, visit->offer_failures);
    bool answered = strcmp(columns[5], "-") != 0;
    int64_t wait_ms = 1000 * atoll(columns[6]);
    int64_t talk_ms = answered ? 1000 * atoll(columns[7]) : -1;
    int64_t told_talk_ms = visit->talk_ms + (visit->hold_ms > 0 ? visit->hold_ms : 0);
    int64_t entered_at = atoll(columns[3]) * US_PER_S;
    bool same = strcmp(visit->queue, columns[2]) == 0 &&
                strcmp(event_outcome_name(visit->outcome), columns[4]) == 0 &&
                (answered ? strcmp(visit->agent, columns[5]) == 0 : !*visit->agent) &&
                llabs(visit->wait_ms - wait_ms) <= 1000 &&
                (answered ? llabs(told_talk_ms - talk_ms) <= 1000 : visit->talk_ms == -1) &&
                llabs(visit->entered_at - entered_at) < 2 * US_PER_S &&
                visit->offer_failures == (uint32_t)atoi(columns[9]) &&
                visit->has_csat == (atoi(columns[12]) >= 0) &&
                (!visit->has_csat || fabs(visit->csat - atof(columns[12])) < 1e-9);
    if (answered && what & KNOWS_HOLDS)
        same = same && visit->hold_count == atoi(columns[10]) &&
               llabs(visit->hold_ms - atoll(columns[11])) < 250;
    if (answered && what & IN_WHOLE_SECONDS)
        same = same && visit->hold_count == -1 && visit->ring_ms == 1000 * atoll(columns[8]);
    if (!same)
        fail_msg(
            "%s\n  but the truth is %s by %s, wait %s talk %s holds %s %s ms, failed %s, csat %s",
            line, columns[4], columns[5], columns[6], columns[7], columns[10], columns[11],
            columns[9], columns[12]);
}

struct tally {
    size_t visits, refused, unqueued, missing;
};

static void check_line(char *line, const struct group *groups, size_t count, unsigned what,
                       struct tally *tally)
{
    char *columns[16] = {0};
    size_t n = 0;
    for (char *save, *at = strtok_r(line, "\t", &save); at && n < 16;
         at = strtok_r(NULL, "\t", &save))
        columns[n++] = at;
    const struct group *group = group_of(groups, count, columns[1]);
    bool is_visit = strcmp(columns[0], "visit") == 0;
    if (!group) {
        assert_false(is_visit);
        tally->missing++;
        return;
    }
    static struct moment moment;
    fold_group(group, &moment);
    assert_string_equal(event_state_name(moment.state), "ended");
    if (!is_visit) {
        assert_int_equal(moment.visit_count, 0);
        bool is_refused = strcmp(columns[0], "refused") == 0;
        assert_int_equal(moment.outcome, is_refused ? OUTCOME_REFUSED : OUTCOME_NEVER_QUEUED);
        tally->refused += is_refused;
        tally->unqueued += !is_refused;
        return;
    }
    int64_t entered_at = atoll(columns[3]) * US_PER_S;
    const struct visit *visit = NULL;
    for (size_t i = 0; i < moment.visit_count && !visit; i++) {
        if (strcmp(moment.visits[i].queue, columns[2]) == 0 &&
            llabs(moment.visits[i].entered_at - entered_at) < 2 * US_PER_S)
            visit = &moment.visits[i];
    }
    if (!visit)
        fail_msg("%s has no visit of %s", columns[1], columns[2]);
    check_visit(columns[1], visit, columns, what);
    tally->visits++;
}

static struct tally check_truth(const struct log *log, unsigned what, size_t moments)
{
    struct group groups[CONTACTS_MAX];
    size_t count = group_events(log, groups);
    struct bytes truth = read_plain(A "truth.tsv");
    struct tally tally = {0};
    char *save;
    for (char *line = strtok_r(truth.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        check_line(line, groups, count, what, &tally);
    free(truth.at);
    size_t visits = 0;
    for (size_t i = 0; i < count; i++) {
        static struct moment moment;
        fold_group(&groups[i], &moment);
        visits += moment.visit_count;
    }
    assert_int_equal(tally.visits, 63);
    assert_int_equal(visits, 63); /* and none that the truth does not have */
    assert_int_equal(count, moments);
    free_groups(groups, count);
    return tally;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_queue_log_alone_tells_every_visit(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_queue_log(&log);
    check_truth(&log, IN_WHOLE_SECONDS, 61);
    close_log(&log);
}

static void test_ami_alone_tells_every_visit_and_the_calls_without(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_ami(&log);
    struct tally tally = check_truth(&log, KNOWS_HOLDS, 66);
    assert_int_equal(tally.refused, 3);
    assert_int_equal(tally.unqueued, 2);
    close_log(&log);
}

static void test_ami_and_queue_log_tell_each_moment_once(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_ami(&log);
    read_queue_log(&log);
    struct tally tally = check_truth(&log, KNOWS_HOLDS, 66);
    assert_int_equal(tally.refused, 3);
    assert_int_equal(tally.unqueued, 2);
    struct group groups[CONTACTS_MAX];
    size_t count = group_events(&log, groups);
    for (size_t i = 0; i < count; i++) {
        static struct moment moment;
        fold_group(&groups[i], &moment);
        static char text[16384];
        print_moment(&moment, text, sizeof(text));
        if (moment.quality_count > 0)
            fail_msg("%s is not clean: %s", groups[i].contact, text);
    }
    free_groups(groups, count);
    close_log(&log);
}

/* The two calls that never reached a queue came and went while AMI was away. */
static void test_a_cut_ami_beside_the_whole_queue_log_loses_no_visit(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_ami_cut(&log);
    size_t live = log.count;
    read_queue_log(&log);
    struct tally tally = check_truth(&log, 0, 64);
    assert_int_equal(tally.refused, 3);
    assert_int_equal(tally.missing, 2);
    size_t gaps = 0;
    size_t ended = 0;
    for (size_t i = 0; i < live; i++) {
        const struct event *event = &log.events[i];
        ended += strcmp(event->reason, "ended_in_gap") == 0;
        if (event->type != SOURCE_GAP)
            continue;
        gaps++;
        assert_true(llabs(event->gap_from_at - INT64_C(1795307771724843)) < US_PER_S);
        assert_true(event->occurred_at > INT64_C(1795307778770228));
        assert_true(event->occurred_at < INT64_C(1795307781000000));
    }
    assert_int_equal(gaps, 1);
    assert_true(ended > 0);
    close_log(&log);
}

static bool same_event(const struct event *a, const struct event *b)
{
    return memcmp(&a->event_id, &b->event_id, sizeof(a->event_id)) == 0 && a->type == b->type &&
           a->occurred_at == b->occurred_at && a->sequence == b->sequence &&
           strcmp(a->contact_id, b->contact_id) == 0 && strcmp(a->queue, b->queue) == 0 &&
           strcmp(a->agent, b->agent) == 0 && strcmp(a->reason, b->reason) == 0 &&
           a->outcome == b->outcome && a->presence == b->presence && a->ring_ms == b->ring_ms &&
           strcmp(a->customer_address, b->customer_address) == 0;
}

static void test_any_split_of_the_stream_gives_the_same_events(void **state)
{
    (void)state;
    struct log whole;
    open_log(&whole);
    read_ami(&whole);
    assert_true(whole.count > 500);
    struct bytes raw = read_packed(A "ami.1.raw.gz");
    for (unsigned seed = 0; seed < 4; seed++) {
        struct log log;
        open_log(&log);
        struct session session;
        open_session(&session, &log);
        srand(seed);
        for (size_t at = 0; at < raw.len;) {
            size_t len = seed == 0 ? 1 : 1 + (size_t)rand() % (seed == 1 ? 7 : 5000);
            if (len > raw.len - at)
                len = raw.len - at;
            feed(&session, raw.at + at, len);
            at += len;
        }
        assert_int_equal(log.count, whole.count);
        for (size_t i = 0; i < log.count; i++)
            assert_true(same_event(&log.events[i], &whole.events[i]));
        close_session(&session);
        close_log(&log);
    }
    free(raw.at);
    close_log(&whole);
}

static int compare_event_ids(const void *a, const void *b)
{
    const struct event *const *left = a;
    const struct event *const *right = b;
    return memcmp(&(*left)->event_id, &(*right)->event_id, sizeof((*left)->event_id));
}

static void test_every_event_has_an_id_of_its_own(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_ami(&log);
    read_queue_log(&log);
    const struct event **events = calloc(log.count, sizeof(*events));
    assert_non_null(events);
    for (size_t i = 0; i < log.count; i++)
        events[i] = &log.events[i];
    qsort(events, log.count, sizeof(*events), compare_event_ids);
    for (size_t i = 1; i < log.count; i++) {
        if (compare_event_ids(&events[i - 1], &events[i]) == 0)
            fail_msg("%s %s twice", event_type_name(events[i]->type), events[i]->contact_id);
    }
    free(events);
    close_log(&log);
}

/* timestampevents = no: the time of arrival is all there is. */
static void test_a_stream_without_timestamps_tells_every_visit(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    struct session session;
    open_session(&session, &log);
    struct bytes raw = read_packed(A "ami.1.raw.gz");
    size_t count = read_index(A "ami.1.idx", pieces, countof(pieces));
    char *line = raw.at;
    for (size_t i = 0; i < count; i++) {
        session.now = pieces[i].arrived_at;
        const char *end = raw.at + pieces[i].offset + pieces[i].len;
        for (char *next; line < end && (next = memchr(line, '\n', (size_t)(end - line)));
             line = next + 1) {
            if (strncmp(line, "Timestamp:", 10) != 0)
                feed(&session, line, (size_t)(next + 1 - line));
        }
    }
    free(raw.at);
    close_session(&session);
    check_truth(&log, KNOWS_HOLDS, 66);
    close_log(&log);
}

static void shuffle(struct event *events, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rand() % i;
        struct event kept = events[i - 1];
        events[i - 1] = events[j];
        events[j] = kept;
    }
}

static void test_order_and_duplicates_change_nothing(void **state)
{
    (void)state;
    struct log log;
    open_log(&log);
    read_ami_cut(&log);
    read_ami(&log);
    read_queue_log(&log);
    struct group groups[CONTACTS_MAX];
    size_t count = group_events(&log, groups);
    for (size_t i = 0; i < count; i++) {
        static char wanted[16384];
        static char got[16384];
        static struct moment moment;
        fold_group(&groups[i], &moment);
        print_moment(&moment, wanted, sizeof(wanted));
        static struct event events[400];
        for (unsigned seed = 0; seed < 60; seed++) {
            srand(seed);
            size_t n = groups[i].count;
            memcpy(events, groups[i].events, n * sizeof(*events));
            for (size_t twice = seed % 20; twice > 0; twice--)
                events[n++] = groups[i].events[(size_t)rand() % groups[i].count];
            shuffle(events, n);
            uint32_t order[400];
            fold(events, n, order, &moment);
            print_moment(&moment, got, sizeof(got));
            assert_string_equal(got, wanted);
        }
    }
    free_groups(groups, count);
    close_log(&log);
}

static int64_t arrival(const struct event *event, int64_t lag_us)
{
    return event->occurred_at + (event->evidence == EVIDENCE_RECORD ? lag_us : 0);
}

/* What the page shows on the way, with the record a second or half a minute behind: the record of
 * what live evidence has told already changes no state, and nobody who is gone comes back. */
static void test_a_late_record_moves_nobody_on_the_live_floor(void **state)
{
    (void)state;
    static const int64_t lags[] = {US_PER_S, 30 * US_PER_S};
    struct log log;
    open_log(&log);
    read_ami(&log);
    read_queue_log(&log);
    struct group groups[CONTACTS_MAX];
    size_t count = group_events(&log, groups);
    static struct moment moment;
    static struct event heard[200];
    for (size_t i = 0; i < count * countof(lags); i++) {
        struct group group = {groups[i / countof(lags)].contact, heard, 0};
        const struct group *all = &groups[i / countof(lags)];
        int64_t lag_us = lags[i % countof(lags)];
        enum moment_state before = STATE_UNKNOWN;
        bool taken[200] = {false};
        for (; group.count < all->count; group.count++) {
            size_t next = all->count;
            for (size_t j = 0; j < all->count; j++) {
                if (!taken[j] && (next == all->count || arrival(&all->events[j], lag_us) <
                                                            arrival(&all->events[next], lag_us)))
                    next = j;
            }
            taken[next] = true;
            heard[group.count] = all->events[next];
            struct group now = {group.contact, heard, group.count + 1};
            fold_group(&now, &moment);
            bool is_record = all->events[next].evidence == EVIDENCE_RECORD;
            if (is_record ? before && moment.state != before
                          : before == STATE_ENDED && moment.state != STATE_ENDED)
                fail_msg("%s went from %s to %s by %s", all->contact, event_state_name(before),
                         event_state_name(moment.state), event_type_name(all->events[next].type));
            before = moment.state;
        }
        assert_int_equal(before, STATE_ENDED);
    }
    free_groups(groups, count);
    close_log(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_log_alone_tells_every_visit),
        cmocka_unit_test(test_ami_alone_tells_every_visit_and_the_calls_without),
        cmocka_unit_test(test_ami_and_queue_log_tell_each_moment_once),
        cmocka_unit_test(test_a_cut_ami_beside_the_whole_queue_log_loses_no_visit),
        cmocka_unit_test(test_any_split_of_the_stream_gives_the_same_events),
        cmocka_unit_test(test_every_event_has_an_id_of_its_own),
        cmocka_unit_test(test_a_stream_without_timestamps_tells_every_visit),
        cmocka_unit_test(test_order_and_duplicates_change_nothing),
        cmocka_unit_test(test_a_late_record_moves_nobody_on_the_live_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
