#include "toy.h"

#include "base/text.h"
#include "io/json.h"
#include "io/service_parts.h"
#include "moment/v1/stream.pb-c.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 1000
#define ASKED_AT_ONCE 8

struct ledger ledger;

struct toy {
    struct service service; /* first */
    struct node *node;
    bool is_counted;
    int64_t count; /* rows of our table toy, with those of the transaction that runs */
};

struct emit {
    struct command command; /* must be first */
    struct toy *toy;
};

static const char sql_count[] = "select count(*) from toy";
static const char sql_insert[] = "insert into toy (seq, count, text) values ($1, $2, $3)";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* --- the count, which both keep --------------------------------------------------------------- */

static void on_count(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct toy *toy = arg;
    assert(status == 0);
    toy->count = db_get_i64(rows, 0, 0);
    toy->is_counted = true;
}

static void load_count(struct toy *toy, struct txn *txn)
{
    if (!toy->is_counted)
        txn_read(txn, sql_count, NULL, on_count, toy);
}

static void write_toy(struct toy *toy, struct txn *txn, int64_t seq, const char *text)
{
    struct db_args args;
    db_args_init(&args);
    toy->count++;
    db_i64(&args, seq ? seq : toy->count);
    db_i64(&args, toy->count);
    db_text(&args, text);
    txn_write(txn, sql_insert, &args);
}

static void on_forget(void *arg)
{
    ((struct toy *)arg)->is_counted = false;
}

/* --- ingest: toy.Emit ------------------------------------------------------------------------- */

static void emit_load(struct command *command, struct txn *txn)
{
    load_count(container_of(command, struct emit, command)->toy, txn);
}

static int emit_apply(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct toy *toy = container_of(command, struct emit, command)->toy;
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(command->call);
    if (begins(request->level, "no")) {
        problem_set(problem, 422, "said-no", "level", "the text is no");
        return -EINVAL;
    }
    uint64_t first = 0;
    for (uint32_t i = 0; i < request->revert_s; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%zu", strlen(request->level) % 3);
        uint64_t seq =
            txn_emit(txn, "main", key, "Text", 0, request->level, strlen(request->level));
        first = first ? first : seq;
    }
    write_toy(toy, txn, 0, request->level);
    Moment__V1__SetLogLevelResponse *response = calloc(1, sizeof *response);
    assert(response);
    moment__v1__set_log_level_response__init(response);
    if (asprintf(&response->previous, "%s at %" PRIu64, request->level, first) < 0)
        return -ENOMEM;
    *ret_response = &response->base;
    return 0;
}

static void on_emit(void *state, struct call *call)
{
    struct toy *toy = state;
    struct emit *emit = calloc(1, sizeof *emit);
    assert(emit);
    emit->toy = toy;
    emit->command.call = call;
    emit->command.load = emit_load;
    emit->command.apply = emit_apply;
    command_start(toy->service.bus, &emit->command);
}

/* --- feedback --------------------------------------------------------------------------------- */

static void load(void *state, struct txn *txn, const struct record *record unused_arg)
{
    load_count(state, txn);
}

static int apply(void *state, struct txn *txn, const char *producer unused_arg,
                 const struct record *record)
{
    struct toy *toy = state;
    char text[64];
    text_copy_slice(text, sizeof text, record->body);
    if (begins(text, "crefuse"))
        return -EBADMSG;
    if (begins(text, "ccrash"))
        crash_now("a record that ends the process");
    write_toy(toy, txn, (int64_t)record->seq, text + 1);
    if (ledger.is_reporter_emitting)
        txn_emit(txn, "main", record->key, "Applied", 0, record->body.at, record->body.len);
    crash_point("in apply");
    return 0;
}

static void on_event(void *arg unused_arg, const char *producer unused_arg,
                     enum consumer_event event, const char *detail)
{
    static const char *const names[] = {"subscribed", "rival", "quarantined", "halted", "trouble"};
    trace("consumer %s: %s", names[event], detail);
}

/* --- both: what service.c does ---------------------------------------------------------------- */

static const struct call_route calls[] = {
    {"toy.Emit", ROLE_SERVICE, SCOPE_EVERYBODY, &moment__v1__set_log_level_request__descriptor,
     &moment__v1__set_log_level_response__descriptor, on_emit},
};

static void consume(struct toy *toy)
{
    struct service *service = &toy->service;
    char error[200];
    int status = bus_connect(service->bus, "ingest", "ingest", error, sizeof error);
    assert(status == 0);
    const struct consumer_options options = {
        .loop = service->loop,
        .bus = service->bus,
        .stream = service->stream,
        .reader = service->reader,
        .consumer = "feedback",
        .producer = "ingest",
        .state = toy,
        .load = load,
        .apply = apply,
        .on_event = on_event,
        .arg = toy,
    };
    status = consumer_open(&options, &service->consumers[0]);
    assert(status == 0);
    service->consumer_count = 1;
}

static void on_tick(void *arg)
{
    struct toy *toy = arg;
    struct service *service = &toy->service;
    char error[200];
    if (service->phase != SERVICE_WAITING || !stream_is_ready(service->stream) ||
        !db_is_up(service->reader))
        return;
    service->phase = SERVICE_SERVING;
    bus_set_state(service->bus, toy);
    int status = bus_bind(service->bus, toy->node->name, error, sizeof error);
    assert(status == 0);
    if (strcmp(toy->node->service, "feedback") == 0)
        consume(toy);
    trace("serves from seq %" PRIu64, stream_head(service->stream).seq);
}

static void on_ready(void *arg, bool is_ready)
{
    struct toy *toy = arg;
    trace("stream %s, epoch %u, head %" PRIu64, is_ready ? "ready" : "lost",
          stream_head(toy->service.stream).epoch, stream_head(toy->service.stream).seq);
    if (toy->service.tick)
        timer_start(toy->service.tick, 0, TICK_MS);
}

static void on_reader(void *arg, bool is_up unused_arg)
{
    const struct toy *toy = arg;
    if (toy->service.tick)
        timer_start(toy->service.tick, 0, TICK_MS);
}

static void open_bus(struct toy *toy)
{
    char error[200];
    struct call_table *table = calloc(1, sizeof *table);
    assert(table);
    *table = (struct call_table){.routes = calls, .count = countof(calls), .state = toy};
    const struct bus_options options = {
        .name = toy->node->service,
        .keys_dir = "keys",
        .stream = toy->service.stream,
        .tables = table,
        .table_count = 1,
    };
    int status = bus_open(toy->service.loop, &options, &toy->service.bus, error, sizeof error);
    assert(status == 0);
}

void toy_service_start(struct node *node)
{
    struct toy *toy = calloc(1, sizeof *toy);
    assert(toy);
    toy->node = node;
    node->state = toy;
    struct service *service = &toy->service;
    int status = loop_new(&service->loop);
    assert(status == 0);
    const struct stream_options options = {
        .service = node->service,
        .site = "main",
        .dsn = "dbname=sim",
        .ring_bytes_max = world.ring_bytes,
        .queue_bytes_max = 1000000,
        .on_ready = on_ready,
        .forget = on_forget,
        .arg = toy,
    };
    status = stream_open(service->loop, &options, &service->stream);
    assert(status == 0);
    status = db_open(service->loop, "dbname=sim reads", on_reader, toy, &service->reader);
    assert(status == 0);
    open_bus(toy);
    status = timer_new(service->loop, on_tick, toy, &service->tick);
    assert(status == 0);
    timer_start(service->tick, TICK_MS, TICK_MS);
}

const char *toy_consumer_state(const struct node *node)
{
    const struct toy *toy = node->state;
    return node->is_up && toy && toy->service.consumer_count
               ? consumer_state(toy->service.consumers[0])
               : "";
}

/* --- reporting -------------------------------------------------------------------------------- */

struct reporter {
    struct bus *bus;
    struct timer *timer;
    bool is_under_way[COMMANDS_MAX];
    size_t under_way;
};

struct question {
    struct reporter *reporter;
    size_t n;
};

static bool is_to_be_refused(const char *text)
{
    return begins(text, "no") || begins(text, "bad") || begins(text, "dup");
}

static void was_answered(size_t n, bool is_refused, const char *answer)
{
    struct asked_command *command = &ledger.commands[n];
    if (is_refused != is_to_be_refused(command->text))
        violated("command %zu, %s, was %s", n, command->text, is_refused ? "refused" : "taken");
    if (command->is_answered && !command->is_forgiven && strcmp(command->answer, answer) != 0)
        violated("command %zu was answered \"%s\", and now \"%s\"", n, command->answer, answer);
    if (!command->is_answered) {
        ledger.answered++;
        trace("command %zu is answered: %s", n, answer);
    }
    command->is_answered = true;
    command->is_refused = is_refused;
    text_copy(command->answer, sizeof command->answer, answer);
}

static void on_reply(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct question *question = arg;
    question->reporter->is_under_way[question->n] = false;
    question->reporter->under_way--;
    if (response) {
        was_answered(question->n, false,
                     ((const Moment__V1__SetLogLevelResponse *)(const void *)response)->previous);
    } else if (strcmp(problem->type, "said-no") == 0 ||
               strcmp(problem->type, "database-refused") == 0) {
        was_answered(question->n, true, problem->type);
    } else if (problem->status != 503 && problem->status != 504) {
        violated("command %zu: %u %s %s", question->n, problem->status, problem->type,
                 problem->detail);
    } else {
        trace("command %zu: %s", question->n, problem->detail);
    }
    free(question);
}

static void ask(struct reporter *reporter, size_t n)
{
    struct asked_command *command = &ledger.commands[n];
    struct question *question = calloc(1, sizeof *question);
    assert(question);
    *question = (struct question){reporter, n};
    reporter->is_under_way[n] = true;
    reporter->under_way++;
    command->is_asked = true;
    Moment__V1__SetLogLevelRequest request;
    moment__v1__set_log_level_request__init(&request);
    request.level = command->text;
    request.revert_s = command->copies;
    char id[24];
    (void)snprintf(id, sizeof id, "c%zu", n);
    bus_call(reporter->bus, "ingest", "toy.Emit", NULL, id, &request.base,
             &moment__v1__set_log_level_response__descriptor, (uint32_t)chance_us(300, 9000),
             on_reply, question);
}

static void on_ask_time(void *arg)
{
    struct reporter *reporter = arg;
    timer_start(reporter->timer, (uint64_t)chance_us(1, 300), 0);
    for (int i = 0; i < 4 && reporter->under_way < ASKED_AT_ONCE; i++) {
        size_t n = chance_below(ledger.count);
        bool is_again = ledger.commands[n].is_answered;
        if (reporter->is_under_way[n] || (is_again && chance_below(8)))
            continue;
        ask(reporter, n);
    }
    /* The last ones are not left to chance. */
    for (size_t n = 0; n < ledger.count && reporter->under_way < ASKED_AT_ONCE; n++)
        if (!ledger.commands[n].is_answered && !reporter->is_under_way[n] && chance_below(8) == 0)
            ask(reporter, n);
}

void toy_reporter_start(struct node *node)
{
    struct reporter *reporter = calloc(1, sizeof *reporter);
    struct loop *loop;
    char error[200];
    assert(reporter);
    node->state = reporter;
    int status = loop_new(&loop);
    assert(status == 0);
    const struct bus_options options = {.name = "reporting", .keys_dir = "keys"};
    status = bus_open(loop, &options, &reporter->bus, error, sizeof error);
    assert(status == 0);
    status = bus_connect(reporter->bus, "ingest", "ingest", error, sizeof error);
    assert(status == 0);
    status = timer_new(loop, on_ask_time, reporter, &reporter->timer);
    assert(status == 0);
    timer_start(reporter->timer, 1, 0);
}
