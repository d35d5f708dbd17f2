/* native_client - how an integrator sends events to ingest over ZeroMQ, in C.
 *
 * usage: native_client ADDRESS SERVER_KEY PUBLIC_KEY SECRET_KEY < events
 *
 * Keys are z85 text: the server's public key (var/keys/ingest.public) and the pair that
 * `momentctl source add events NAME --native` printed. Each line of standard input is one event:
 *
 *     CONTACT_ID TYPE OCCURRED_AT_US [QUEUE [AGENT]]       TYPE is a number of enum EventType
 *
 * Events go out in batches of at most BATCH. The credit of the WELCOME bounds the bytes that may be
 * unanswered; a batch counts as sent only when its ACCEPTED has come, which ingest sends after its
 * commit. A client that loses the connection sends the unanswered batches again: the same event
 * (contact, type, time) has its effect once. Prints "accepted N duplicate M"; exit 1 on a refusal.
 *
 * Stands alone: libzmq, protobuf-c and the generated moment/v1 code, nothing of Moment's own. */
#include <moment/v1/ingest.pb-c.h>
#include <moment/v1/stream.pb-c.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { BATCH = 100, WORD = 128, PROTOCOL = 1 };

struct client {
    void *context;
    void *socket;
    uint64_t credit; /* bytes that may still be sent */
    uint64_t next_id;
    unsigned unanswered;
    unsigned accepted;
    unsigned duplicate;
};

struct line {
    char contact[WORD];
    char queue[WORD];
    char agent[WORD];
    int type;
    int64_t occurred_at;
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "native_client: %s: %s\n", what, why);
    exit(1);
}

static void open_socket(struct client *client, char **keys, const char *address)
{
    int none = 0;
    client->context = zmq_ctx_new();
    client->socket = zmq_socket(client->context, ZMQ_DEALER);
    (void)zmq_setsockopt(client->socket, ZMQ_LINGER, &none, sizeof(none));
    if (zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, keys[0], strlen(keys[0])) != 0 ||
        zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, keys[1], strlen(keys[1])) != 0 ||
        zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, keys[2], strlen(keys[2])) != 0)
        fail("key", "a CURVE key has 40 characters of z85");
    if (zmq_connect(client->socket, address) != 0)
        fail(address, zmq_strerror(zmq_errno()));
}

static void send_frame(struct client *client, const Moment__V1__Frame *frame)
{
    size_t len = moment__v1__frame__get_packed_size(frame);
    uint8_t *bytes = malloc(len + 1);
    if (bytes == NULL)
        fail("send", "out of memory");
    (void)moment__v1__frame__pack(frame, bytes);
    if (zmq_send(client->socket, bytes, len, 0) < 0)
        fail("send", zmq_strerror(zmq_errno()));
    free(bytes);
}

static Moment__V1__Frame *receive_frame(struct client *client)
{
    zmq_pollitem_t item = {.socket = client->socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, 10000) != 1)
        fail("receive", "no answer within 10 s: is the key known, is the address right?");
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    if (zmq_msg_recv(&message, client->socket, 0) < 0)
        fail("receive", zmq_strerror(zmq_errno()));
    Moment__V1__Frame *frame =
        moment__v1__frame__unpack(NULL, zmq_msg_size(&message), zmq_msg_data(&message));
    (void)zmq_msg_close(&message);
    if (frame == NULL)
        fail("receive", "not a frame");
    return frame;
}

static void on_accepted(struct client *client, const Moment__V1__Accepted *answer)
{
    if (answer->problem != NULL) {
        (void)fprintf(stderr, "native_client: refused: %s (%s)\n", answer->problem->detail,
                      answer->problem->field);
        exit(1);
    }
    client->accepted += answer->accepted;
    client->duplicate += answer->duplicate;
    client->credit += answer->credit;
    client->unanswered--;
}

/* One frame from ingest: an answer, a heartbeat, or a refusal of the whole conversation. */
static void take_frame(struct client *client)
{
    Moment__V1__Frame *frame = receive_frame(client);
    if (frame->kind_case == MOMENT__V1__FRAME__KIND_ACCEPTED)
        on_accepted(client, frame->accepted);
    else if (frame->kind_case == MOMENT__V1__FRAME__KIND_WELCOME)
        client->credit = frame->welcome->submit_credit;
    else if (frame->kind_case == MOMENT__V1__FRAME__KIND_REFUSE)
        fail("refused", frame->refuse->detail);
    moment__v1__frame__free_unpacked(frame, NULL);
}

static void say_hello(struct client *client)
{
    char name[] = "native_client";
    Moment__V1__Hello hello;
    moment__v1__hello__init(&hello);
    hello.name = name;
    hello.protocol = PROTOCOL;
    Moment__V1__Frame frame;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_HELLO;
    frame.hello = &hello;
    send_frame(client, &frame);
    while (client->credit == 0)
        take_frame(client);
}

static void send_batch(struct client *client, struct line *lines, size_t count)
{
    static Moment__V1__Event events[BATCH]; /* too much for a stack; one thread only */
    static Moment__V1__Event *list[BATCH];
    for (size_t i = 0; i < count; i++) {
        moment__v1__event__init(&events[i]);
        events[i].contact_id = lines[i].contact;
        events[i].queue = lines[i].queue;
        events[i].agent = lines[i].agent;
        events[i].type = (Moment__V1__EventType)lines[i].type;
        events[i].occurred_at = lines[i].occurred_at;
        events[i].channel = MOMENT__V1__CHANNEL__CHANNEL_VOICE;
        list[i] = &events[i];
    }
    Moment__V1__EventBatch batch;
    moment__v1__event_batch__init(&batch);
    batch.n_events = count;
    batch.events = list;
    size_t len = moment__v1__event_batch__get_packed_size(&batch);
    while (client->credit < len)
        take_frame(client);
    uint8_t *body = malloc(len + 1);
    if (body == NULL)
        fail("send", "out of memory");
    (void)moment__v1__event_batch__pack(&batch, body);

    Moment__V1__Submit submit;
    moment__v1__submit__init(&submit);
    submit.id = ++client->next_id;
    submit.body.data = body;
    submit.body.len = len;
    Moment__V1__Frame frame;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_SUBMIT;
    frame.submit = &submit;
    send_frame(client, &frame);
    free(body);
    client->credit -= len;
    client->unanswered++;
}

static bool read_line(struct line *line)
{
    char text[4 * WORD];
    if (fgets(text, sizeof(text), stdin) == NULL)
        return false;
    memset(line, 0, sizeof(*line));
    long long occurred_at = 0;
    if (sscanf(text, "%127s %d %lld %127s %127s", line->contact, &line->type, &occurred_at,
               line->queue, line->agent) < 3)
        fail("input", text);
    line->occurred_at = occurred_at;
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: native_client ADDRESS SERVER_KEY PUBLIC_KEY SECRET_KEY\n");
        return 64;
    }
    static struct line lines[BATCH];
    struct client client = {0};
    open_socket(&client, argv + 2, argv[1]);
    say_hello(&client);
    size_t count = 0;
    while (read_line(&lines[count])) {
        if (++count == BATCH) {
            send_batch(&client, lines, count);
            count = 0;
        }
    }
    if (count > 0)
        send_batch(&client, lines, count);
    while (client.unanswered > 0)
        take_frame(&client);
    (void)printf("accepted %u duplicate %u\n", client.accepted, client.duplicate);
    (void)zmq_close(client.socket);
    (void)zmq_ctx_term(client.context);
    return 0;
}
