/* ledger_client - an integrator that remembers: an open-loop sender whose ledger can be held
 * against what the services have in the end.
 *
 * usage: ledger_client ADDRESS SERVER_KEY PUBLIC_KEY SECRET_KEY LEDGER RUN CLIENT RATE
 *
 * Events number 0, 1, 2 ... go out in batches of BATCH at RATE events a second, whether answers
 * come or not, until WINDOW batches are unanswered; what is due meanwhile goes out afterwards, and
 * its latency counts from when it was due. Whatever is not acknowledged is sent again, on a new
 * connection where need be, until it is acknowledged or told refused.
 *
 * LEDGER is a file of struct entry: each event with its hash before it is sent first, each further
 * try of a batch, each answer. It is synced before anything of it is sent.
 *
 * Event n: every 400 make 100 contacts, first their beginnings, then their way into the queue,
 * their answers and their ends: each step of a contact is in another batch. `reason` carries
 * client, number and hash through every service; the hash is BLAKE2b-128 of
 * "contact|type|occurred_at|queue|agent", in letters only, so that nothing takes it for a card
 * number.
 *
 * Standard input: "rate N", "stop" (or its end): no new events, end when all are answered. Prints
 * one line of figures. Exit code 1: something stayed unanswered for PATIENCE_S. */
#include <moment/v1/ingest.pb-c.h>
#include <moment/v1/stream.pb-c.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    BATCH = 100, /* of one step of 100 contacts */
    STEPS = 4,
    WINDOW = 128, /* batches under way */
    WORD = 96,
    HASH = 16,
    PROTOCOL = 1,
    SILENCE_US = 3000000, /* then the connection counts as dead; ingest beats each second */
    BUSY_US = 200000, /* before a batch goes out again that was refused for now, longer each time */
    BUSY_MOST = 15,
    PATIENCE_S = 180,
    LEDGER_BUFFER = 4096,
    SLOWEST_MS = 200000,
};

enum kind { SENT = 1, AGAIN = 2, ACKNOWLEDGED = 3, REFUSED = 4 };

/* In the byte order of this machine; SENT has count 1 and the hash. */
struct entry {
    uint32_t kind;
    uint32_t count;
    uint64_t first;
    int64_t at_us; /* wall clock */
    uint8_t hash[HASH];
};

struct batch {
    uint64_t id; /* of the submission under way; 0: none */
    uint64_t first;
    uint8_t *body;
    size_t len;
    int64_t due_us;    /* monotonic: by the plan of the open loop */
    int64_t resume_us; /* not before */
    unsigned tries;
    bool is_done;
};

struct client {
    char **keys;
    const char *address;
    const char *run;
    unsigned number;
    void *context;
    void *socket;
    uint64_t credit;
    uint64_t next_id;
    int64_t heard_us;
    struct batch window[WINDOW];
    uint64_t tail; /* first batch that is not done */
    uint64_t head; /* next batch to be made */
    double interval_us;
    double next_due_us;
    bool is_stopping;
    int64_t stopped_us;
    int ledger;
    struct entry entries[LEDGER_BUFFER];
    size_t entry_count;
    uint64_t acknowledged;
    uint64_t duplicate;
    uint64_t refused;
    uint64_t again;
    uint64_t connections;
    uint32_t latency[SLOWEST_MS + 1]; /* batches by milliseconds */
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "ledger_client: %s: %s\n", what, why);
    exit(2);
}

static int64_t now_us(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- the ledger --- */

static void ledger_write(struct client *client)
{
    const char *from = (const char *)client->entries;
    size_t left = client->entry_count * sizeof(client->entries[0]);
    while (left > 0) {
        ssize_t n = write(client->ledger, from, left);
        if (n < 0)
            fail("ledger", "cannot be written");
        from += n;
        left -= (size_t)n;
    }
    client->entry_count = 0;
}

static void ledger_add(struct client *client, enum kind kind, uint64_t first, uint32_t count,
                       const uint8_t hash[HASH])
{
    if (client->entry_count == LEDGER_BUFFER)
        ledger_write(client);
    struct entry *entry = &client->entries[client->entry_count++];
    memset(entry, 0, sizeof(*entry));
    entry->kind = kind;
    entry->count = count;
    entry->first = first;
    entry->at_us = now_us(CLOCK_REALTIME);
    if (hash != NULL)
        memcpy(entry->hash, hash, HASH);
}

static void ledger_sync(struct client *client)
{
    ledger_write(client);
    if (fdatasync(client->ledger) != 0)
        fail("ledger", "cannot be synced");
}

/* --- events --- */

struct words {
    char event_id[WORD];
    char contact[WORD];
    char queue[WORD];
    char agent[WORD];
    char reason[WORD];
};

static void hash_event(const Moment__V1__Event *event, uint8_t hash[HASH])
{
    char text[4 * WORD];
    int length = snprintf(text, sizeof(text), "%s|%d|%" PRId64 "|%s|%s", event->contact_id,
                          (int)event->type, event->occurred_at, event->queue, event->agent);
    (void)crypto_generichash(hash, HASH, (const unsigned char *)text, (unsigned)length, NULL, 0);
}

static void letters(const uint8_t hash[HASH], char ret_text[2 * HASH + 1])
{
    for (size_t i = 0; i < HASH; i++) {
        ret_text[2 * i] = (char)('a' + (hash[i] >> 4));
        ret_text[2 * i + 1] = (char)('a' + (hash[i] & 15));
    }
    ret_text[2 * HASH] = '\0';
}

static void make_event(const struct client *client, uint64_t n, int64_t at_us, struct words *words,
                       Moment__V1__Event *event, uint8_t hash[HASH])
{
    static const Moment__V1__EventType types[STEPS] = {
        MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_STARTED,
        MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_QUEUED,
        MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_ANSWERED,
        MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_ENDED,
    };
    uint64_t step = n / BATCH % STEPS;
    unsigned contact = (unsigned)(n % BATCH);
    char text[2 * HASH + 1];

    (void)snprintf(words->event_id, WORD, "%s-%u-%" PRIu64, client->run, client->number, n);
    (void)snprintf(words->contact, WORD, "%s-%u-%" PRIu64, client->run, client->number,
                   n / (BATCH * STEPS) * BATCH + contact);
    (void)snprintf(words->queue, WORD, "queue-%u", contact % 4);
    (void)snprintf(words->agent, WORD, "agent-%u", contact % 20);
    moment__v1__event__init(event);
    event->event_id = words->event_id;
    event->contact_id = words->contact;
    event->type = types[step];
    event->occurred_at = at_us;
    event->channel = MOMENT__V1__CHANNEL__CHANNEL_VOICE;
    if (step > 0)
        event->queue = words->queue;
    if (step > 1)
        event->agent = words->agent;
    hash_event(event, hash);
    letters(hash, text);
    (void)snprintf(words->reason, WORD, "%u:%" PRIu64 ":%s", client->number, n, text);
    event->reason = words->reason;
}

static void make_batch(struct client *client, struct batch *batch)
{
    static struct words words[BATCH]; /* too much for a stack; one thread only */
    static Moment__V1__Event events[BATCH];
    static Moment__V1__Event *list[BATCH];
    int64_t at_us = now_us(CLOCK_REALTIME);

    memset(batch, 0, sizeof(*batch));
    batch->first = client->head * BATCH;
    batch->due_us = (int64_t)client->next_due_us;
    for (unsigned i = 0; i < BATCH; i++) {
        uint8_t hash[HASH];
        make_event(client, batch->first + i, at_us, &words[i], &events[i], hash);
        list[i] = &events[i];
        ledger_add(client, SENT, batch->first + i, 1, hash);
    }
    Moment__V1__EventBatch message;
    moment__v1__event_batch__init(&message);
    message.n_events = BATCH;
    message.events = list;
    batch->len = moment__v1__event_batch__get_packed_size(&message);
    batch->body = malloc(batch->len);
    if (batch->body == NULL)
        fail("batch", "out of memory");
    (void)moment__v1__event_batch__pack(&message, batch->body);
}

static void make_due(struct client *client)
{
    double now = (double)now_us(CLOCK_MONOTONIC);
    while (!client->is_stopping && client->next_due_us <= now &&
           client->head - client->tail < WINDOW) {
        make_batch(client, &client->window[client->head % WINDOW]);
        client->head++;
        client->next_due_us += client->interval_us;
    }
}

/* --- the conversation --- */

static void send_frame(struct client *client, const Moment__V1__Frame *frame)
{
    size_t len = moment__v1__frame__get_packed_size(frame);
    uint8_t *bytes = malloc(len + 1);
    if (bytes == NULL)
        fail("send", "out of memory");
    (void)moment__v1__frame__pack(frame, bytes);
    /* What does not go out is not answered, and is sent again. */
    (void)zmq_send(client->socket, bytes, len, ZMQ_DONTWAIT);
    free(bytes);
}

static void say_hello(struct client *client)
{
    char name[] = "ledger_client";
    Moment__V1__Hello hello;
    moment__v1__hello__init(&hello);
    hello.name = name;
    hello.protocol = PROTOCOL;
    Moment__V1__Frame frame;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_HELLO;
    frame.hello = &hello;
    send_frame(client, &frame);
}

/* Whatever was under way may or may not have been taken: it is sent again, in order. */
static void forget_conversation(struct client *client)
{
    for (uint64_t i = client->tail; i < client->head; i++)
        client->window[i % WINDOW].id = 0;
    client->credit = 0;
}

static void connect_anew(struct client *client)
{
    int none = 0;
    if (client->socket != NULL)
        (void)zmq_close(client->socket);
    forget_conversation(client);
    client->socket = zmq_socket(client->context, ZMQ_DEALER);
    (void)zmq_setsockopt(client->socket, ZMQ_LINGER, &none, sizeof(none));
    if (zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, client->keys[0],
                       strlen(client->keys[0])) != 0 ||
        zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, client->keys[1],
                       strlen(client->keys[1])) != 0 ||
        zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, client->keys[2],
                       strlen(client->keys[2])) != 0)
        fail("key", "a CURVE key has 40 characters of z85");
    if (zmq_connect(client->socket, client->address) != 0)
        fail(client->address, zmq_strerror(zmq_errno()));
    client->connections++;
    client->heard_us = now_us(CLOCK_MONOTONIC);
    say_hello(client);
}

static struct batch *batch_of(struct client *client, uint64_t id)
{
    for (uint64_t i = client->tail; id != 0 && i < client->head; i++) {
        if (client->window[i % WINDOW].id == id)
            return &client->window[i % WINDOW];
    }
    return NULL;
}

static void settle(struct client *client, struct batch *batch, enum kind kind)
{
    int64_t ms = (now_us(CLOCK_MONOTONIC) - batch->due_us) / 1000;
    ledger_add(client, kind, batch->first, BATCH, NULL);
    client->latency[ms < 0 ? 0 : ms > SLOWEST_MS ? SLOWEST_MS : ms]++;
    batch->is_done = true;
    batch->id = 0;
    free(batch->body);
    batch->body = NULL;
    while (client->tail < client->head && client->window[client->tail % WINDOW].is_done)
        client->tail++;
}

static void later(struct batch *batch)
{
    unsigned patience = batch->tries < BUSY_MOST ? batch->tries : BUSY_MOST;
    batch->id = 0;
    batch->resume_us = now_us(CLOCK_MONOTONIC) + (int64_t)patience * BUSY_US;
}

static void on_accepted(struct client *client, const Moment__V1__Accepted *answer)
{
    struct batch *batch = batch_of(client, answer->id);
    client->credit += answer->credit;
    if (batch == NULL)
        return; /* of an older try */
    if (answer->problem == NULL) {
        client->acknowledged += BATCH;
        client->duplicate += answer->duplicate;
        if (answer->accepted + answer->duplicate != BATCH)
            fail("answer", "new and known events are not the number sent");
        settle(client, batch, ACKNOWLEDGED);
    } else if (answer->problem->status == 503) {
        later(batch);
    } else {
        (void)fprintf(stderr, "ledger_client: %" PRIu64 " refused: %s: %s\n", batch->first,
                      answer->problem->type, answer->problem->detail);
        client->refused += BATCH;
        settle(client, batch, REFUSED);
    }
}

static void on_refuse(struct client *client, const Moment__V1__Refuse *refuse)
{
    unsigned long long id = 0;
    bool is_one = refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_BUSY ||
                  refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_DRAINING;
    if (is_one && sscanf(refuse->detail, "submission %llu:", &id) == 1) {
        struct batch *batch = batch_of(client, id);
        if (batch != NULL) {
            client->credit += batch->len;
            later(batch);
        }
    } else if (refuse->reason == MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL) {
        forget_conversation(client);
        say_hello(client);
    }
}

static void on_frame(struct client *client, const Moment__V1__Frame *frame)
{
    client->heard_us = now_us(CLOCK_MONOTONIC);
    if (frame->kind_case == MOMENT__V1__FRAME__KIND_ACCEPTED)
        on_accepted(client, frame->accepted);
    else if (frame->kind_case == MOMENT__V1__FRAME__KIND_WELCOME)
        client->credit = frame->welcome->submit_credit;
    else if (frame->kind_case == MOMENT__V1__FRAME__KIND_REFUSE)
        on_refuse(client, frame->refuse);
}

static void receive(struct client *client)
{
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    while (zmq_msg_recv(&message, client->socket, ZMQ_DONTWAIT) >= 0) {
        Moment__V1__Frame *frame =
            moment__v1__frame__unpack(NULL, zmq_msg_size(&message), zmq_msg_data(&message));
        if (frame == NULL)
            fail("receive", "not a frame");
        on_frame(client, frame);
        moment__v1__frame__free_unpacked(frame, NULL);
    }
    (void)zmq_msg_close(&message);
    if (now_us(CLOCK_MONOTONIC) - client->heard_us > SILENCE_US)
        connect_anew(client);
}

static void submit(struct client *client, struct batch *batch)
{
    Moment__V1__Submit message;
    moment__v1__submit__init(&message);
    message.id = batch->id;
    message.body.data = batch->body;
    message.body.len = batch->len;
    Moment__V1__Frame frame;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_SUBMIT;
    frame.submit = &message;
    send_frame(client, &frame);
}

/* Chooses what may go out, syncs the ledger, sends. */
static void send_waiting(struct client *client)
{
    struct batch *chosen[WINDOW];
    size_t count = 0;
    int64_t now = now_us(CLOCK_MONOTONIC);
    for (uint64_t i = client->tail; i < client->head; i++) {
        struct batch *batch = &client->window[i % WINDOW];
        if (batch->is_done || batch->id != 0 || batch->resume_us > now)
            continue;
        if (client->credit < batch->len)
            break;
        client->credit -= batch->len;
        batch->id = ++client->next_id;
        if (batch->tries++ > 0) {
            ledger_add(client, AGAIN, batch->first, BATCH, NULL);
            client->again += BATCH;
        }
        chosen[count++] = batch;
    }
    if (client->entry_count > 0)
        ledger_sync(client);
    for (size_t i = 0; i < count; i++)
        submit(client, chosen[i]);
}

/* --- what the nemesis says --- */

static void set_rate(struct client *client, double rate)
{
    client->interval_us = BATCH * 1e6 / (rate > 0.1 ? rate : 0.1);
    client->next_due_us = (double)now_us(CLOCK_MONOTONIC);
}

static void stop(struct client *client)
{
    if (!client->is_stopping)
        client->stopped_us = now_us(CLOCK_MONOTONIC);
    client->is_stopping = true;
}

static void listen_to_input(struct client *client)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char text[256];
    if (client->is_stopping || poll(&input, 1, 0) != 1)
        return;
    ssize_t n = read(STDIN_FILENO, text, sizeof(text) - 1);
    if (n <= 0) {
        stop(client);
        return;
    }
    text[n] = '\0';
    char *place = NULL;
    for (char *line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
        if (strncmp(line, "rate ", 5) == 0)
            set_rate(client, strtod(line + 5, NULL));
        else if (strcmp(line, "stop") == 0)
            stop(client);
    }
}

static unsigned slower_than(const struct client *client, double share)
{
    uint64_t total = 0;
    uint64_t seen = 0;
    for (unsigned ms = 0; ms <= SLOWEST_MS; ms++)
        total += client->latency[ms];
    for (unsigned ms = 0; ms <= SLOWEST_MS; ms++) {
        seen += client->latency[ms];
        if ((double)seen >= share * (double)total)
            return ms;
    }
    return SLOWEST_MS;
}

static void print(const struct client *client)
{
    (void)printf("sent %" PRIu64 " acknowledged %" PRIu64 " refused %" PRIu64 " duplicate %" PRIu64
                 " again %" PRIu64 " connections %" PRIu64 " p50_ms %u p99_ms %u max_ms %u\n",
                 client->head * BATCH, client->acknowledged, client->refused, client->duplicate,
                 client->again, client->connections, slower_than(client, 0.5),
                 slower_than(client, 0.99), slower_than(client, 1));
}

static bool is_over(const struct client *client)
{
    return client->is_stopping &&
           (client->tail == client->head ||
            now_us(CLOCK_MONOTONIC) - client->stopped_us > PATIENCE_S * 1000000LL);
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        (void)fprintf(stderr,
                      "usage: ledger_client ADDRESS SERVER_KEY PUBLIC_KEY SECRET_KEY LEDGER "
                      "RUN CLIENT RATE\n");
        return 64;
    }
    static struct client client;
    if (sodium_init() < 0)
        fail("libsodium", "cannot be used");
    client.address = argv[1];
    client.keys = argv + 2;
    client.run = argv[6];
    client.number = (unsigned)strtoul(argv[7], NULL, 10);
    client.ledger = open(argv[5], O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (client.ledger < 0)
        fail(argv[5], "cannot be made");
    set_rate(&client, strtod(argv[8], NULL));
    client.context = zmq_ctx_new();
    connect_anew(&client);
    while (!is_over(&client)) {
        zmq_pollitem_t item = {.socket = client.socket, .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, 5);
        listen_to_input(&client);
        receive(&client);
        make_due(&client);
        send_waiting(&client);
    }
    ledger_sync(&client);
    print(&client);
    (void)zmq_close(client.socket);
    (void)zmq_ctx_term(client.context);
    return client.tail == client.head ? 0 : 1;
}
