#include "reporting/edge_live.h"

#include "base/clock.h"
#include "reporting/access.h"
#include "reporting/codec.h"
#include "reporting/query.h"
#include "reporting/rules/place.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_MS 2000
#define CACHE_ITEMS 256

/* The newest records in the form that every stream sends them: made once, not once per client. */
struct cached {
    uint64_t seq;
    uint32_t epoch;
    struct live_item item;
};

struct live_stream {
    struct live_feed *feed;
    struct live_stream *next;
    struct reporting *reporting;
    struct viewer *viewer; /* owned */
    struct sse *sse;
    struct follower *follower; /* owned; null once it has failed */
    struct timer *beat;        /* owned */
    struct position position;  /* the last record passed by */
    bool is_ending;
};

struct live_feed {
    struct live_stream *streams;
    size_t count;
    struct cached cache[CACHE_ITEMS];
};

int live_feed_new(struct live_feed **ret_feed)
{
    *ret_feed = calloc(1, sizeof(**ret_feed));
    return *ret_feed != NULL ? 0 : -ENOMEM;
}

void live_feed_free(struct live_feed **feed)
{
    struct live_feed *gone = *feed;

    if (gone == NULL)
        return;
    while (gone->streams != NULL)
        sse_close(gone->streams->sse);
    for (size_t i = 0; i < CACHE_ITEMS; i++)
        live_item_done(&gone->cache[i].item);
    free(gone);
    *feed = NULL;
}

/* --- sending ------------------------------------------------------------------------------- */

/* Null when the record is none that can be read: it is passed by. */
static const struct live_item *find_item(struct live_feed *feed, const struct record *record)
{
    struct cached *cached = &feed->cache[record->seq % CACHE_ITEMS];

    if (cached->seq == record->seq && cached->epoch == record->epoch)
        return cached->item.json != NULL ? &cached->item : NULL;
    live_item_done(&cached->item);
    cached->seq = record->seq;
    cached->epoch = record->epoch;
    return live_item_read(record->body, &cached->item) == 0 ? &cached->item : NULL;
}

static bool on_record(void *arg, const struct record *record)
{
    struct live_stream *stream = arg;
    const struct live_item *item = find_item(stream->feed, record);
    char id[PLACE_POSITION_SIZE];

    stream->position = (struct position){record->epoch, record->seq};
    if (item == NULL || !reader_sees(&stream->viewer->reader, &item->subject))
        return true;
    return sse_send(stream->sse, place_print_position(record->epoch, record->seq, id), "update",
                    item->json);
}

static void on_drain(void *arg)
{
    struct live_stream *stream = arg;

    if (stream->follower != NULL)
        follower_resume(stream->follower);
}

static void send_json(struct live_stream *stream, const char *event, json_t *json)
{
    char *text = json != NULL ? json_text(json) : NULL;

    json_decref(json);
    /* Of no importance to the order: a client too slow for it is paused by on_record. */
    if (text != NULL && !sse_send(stream->sse, NULL, event, text))
        (void)0;
    free(text);
}

static void send_beat(struct live_stream *stream)
{
    char id[PLACE_POSITION_SIZE];
    const struct reporting *reporting = stream->reporting;

    send_json(stream, "beat",
              json_pack("{s:o,s:o,s:o,s:s}", "server_time", json_time(clock_wall_us()), "data_at",
                        json_time(reporting->data_at), "lag", reporting_lag(reporting), "position",
                        place_print_position(stream->position.epoch, stream->position.seq, id)));
}

static void on_beat(void *arg)
{
    struct live_stream *stream = arg;
    int64_t expires_at = stream->viewer->expires_at;

    if (stream->is_ending || (expires_at > 0 && expires_at < clock_wall_us()))
        sse_close(stream->sse); /* frees the stream */
    else
        send_beat(stream);
}

/* The page must fetch the floor again. Closed by the timer, as this may be a follower's callback.
 */
static void send_reset(struct live_stream *stream, int error)
{
    char id[PLACE_POSITION_SIZE];
    struct position head = stream_head(service_stream(stream->reporting->service));

    metric_add(&metric_live_resets, NULL, 1);
    send_json(stream, "reset",
              json_pack("{s:s,s:s}", "reason", error == -ERANGE ? "too-old" : "diverged",
                        "position", place_print_position(head.epoch, head.seq, id)));
    stream->is_ending = true;
    timer_start(stream->beat, 100, 0);
}

static void on_error(void *arg, int error)
{
    send_reset(arg, error);
}

static const struct follower_ops follower_ops = {.on_record = on_record, .on_error = on_error};

/* --- opening and closing ------------------------------------------------------------------- */

static void unlink_stream(struct live_stream *stream)
{
    struct live_stream **at = &stream->feed->streams;

    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    stream->feed->count--;
    metric_set(&metric_live_streams, NULL, (double)stream->feed->count);
}

static void stream_free(struct live_stream *stream)
{
    if (stream->follower != NULL)
        follower_close(&stream->follower);
    if (stream->beat != NULL)
        timer_free(&stream->beat);
    viewer_free(&stream->viewer);
    free(stream);
}

static void on_close(void *arg)
{
    unlink_stream(arg);
    stream_free(arg);
}

static size_t streams_of(const struct live_feed *feed, const char *user_id)
{
    size_t count = 0;

    for (const struct live_stream *s = feed->streams; s != NULL; s = s->next)
        count += strcmp(s->viewer->user_id, user_id) == 0;
    return count;
}

/* Where to go on from: Last-Event-ID beats ?after= beats now. */
static bool read_position(struct reporting *reporting, struct http_request *request,
                          struct position *ret_position)
{
    const char *text = http_header(request, "Last-Event-ID");
    bool is_header = text[0] != '\0';

    *ret_position = stream_head(service_stream(reporting->service));
    if (!is_header && !http_has_query(request, "after"))
        return true;
    if (!is_header)
        text = http_query(request, "after");
    if (place_parse_position(text, &ret_position->epoch, &ret_position->seq) == 0)
        return true;
    http_problem(request, 400, "invalid-field", is_header ? "Last-Event-ID" : "after",
                 "A position looks like 3-1042.");
    return false;
}

static struct live_stream *stream_new(struct reporting *reporting, struct viewer *viewer)
{
    struct live_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->feed = reporting->live;
    stream->reporting = reporting;
    if (timer_new(service_loop(reporting->service), on_beat, stream, &stream->beat) < 0) {
        free(stream);
        return NULL;
    }
    stream->viewer = viewer;
    return stream;
}

static void start(struct live_stream *stream, struct position from)
{
    stream->next = stream->feed->streams;
    stream->feed->streams = stream;
    stream->feed->count++;
    metric_set(&metric_live_streams, NULL, (double)stream->feed->count);
    stream->position = from;
    sse_on_drain(stream->sse, on_drain, stream);
    timer_start(stream->beat, BEAT_MS, BEAT_MS);
    send_beat(stream);
    int rc = follower_open(service_stream(stream->reporting->service), from, &follower_ops, stream,
                           &stream->follower);

    if (rc < 0) {
        stream->follower = NULL;
        send_reset(stream, rc);
    }
}

static void open(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    static const char *const known[] = {"after"};
    int64_t limit = conf_integer(service_conf(reporting->service), "live_streams_per_user");
    struct position from;

    if (!query_only(request, known, countof(known)) || !read_position(reporting, request, &from)) {
        viewer_free(&viewer);
        return;
    }
    if (streams_of(reporting->live, viewer->user_id) >= (size_t)limit) {
        viewer_free(&viewer);
        http_add_header(request, "Retry-After", "5");
        http_problem(request, 429, "too-many", NULL, "You have %lld live streams open.",
                     (long long)limit);
        return;
    }
    struct live_stream *stream = stream_new(reporting, viewer);

    if (stream == NULL) {
        viewer_free(&viewer);
        access_unavailable(request);
        return;
    }
    stream->sse = sse_open(request, on_close, stream);
    if (stream->sse == NULL)
        stream_free(stream);
    else
        start(stream, from);
}

void live_open(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_CONTENT, open);
}

/* Ends at the next turn of the loop: the caller may be anywhere. */
static void end_soon(struct live_stream *stream)
{
    stream->is_ending = true;
    timer_start(stream->beat, 0, 0);
}

void live_end_session(struct reporting *reporting, const uint8_t *token_hash)
{
    for (struct live_stream *s = reporting->live->streams; s != NULL; s = s->next) {
        if (memcmp(s->viewer->hash, token_hash, ACCESS_HASH_SIZE) == 0)
            end_soon(s);
    }
}

void live_end_user(struct reporting *reporting, const char *login)
{
    for (struct live_stream *s = reporting->live->streams; s != NULL; s = s->next) {
        if (strcasecmp(s->viewer->login, login) == 0 || strcmp(s->viewer->user_id, login) == 0)
            end_soon(s);
    }
}
