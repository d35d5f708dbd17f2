/* command - a call that changes tables: effect, records and stored answer commit together. */
#include "io/bus_parts.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_SIZE 256

struct run {
    struct bus *bus;          /* borrowed */
    char source[SOURCE_SIZE]; /* "command:<caller id>" */
    /* Of this attempt: */
    bool was_seen;
    Moment__V1__Call *seen; /* owned: method and body of the stored answer */
    uint8_t *answer;        /* owned */
    size_t answer_len;
    struct problem problem;
};

static const char SQL_SEEN[] = "select answer from seen where source = $1 and key = $2 limit 1";
static const char SQL_REMEMBER[] = "insert into seen (source, key, answer) values ($1, $2, $3)";

static void forget_attempt(struct run *run)
{
    if (run->seen) {
        moment__v1__call__free_unpacked(run->seen, NULL);
    }
    free(run->answer);
    run->seen = NULL;
    run->answer = NULL;
    run->answer_len = 0;
    run->was_seen = false;
    memset(&run->problem, 0, sizeof(run->problem));
}

static void on_seen(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error unused_arg)
{
    struct command *command = arg;
    struct run *run = command->private_data;
    ProtobufCMessage *message = NULL;

    if (status < 0 || db_count(rows) == 0) {
        return; /* a failed read fails the transaction, the stream tries again */
    }
    run->was_seen = true;
    if (protobuf_read(&moment__v1__call__descriptor, db_get_bytes(rows, 0, 0), &message) == 0) {
        run->seen = (Moment__V1__Call *)(void *)message;
    }
}

static void load_work(struct work *work, struct txn *txn)
{
    struct command *command = container_of(work, struct command, work);
    struct run *run = command->private_data;

    forget_attempt(run);
    if (call_command_id(command->call)[0]) {
        struct db_args args;
        db_args_init(&args);
        db_text(&args, run->source);
        db_text(&args, call_command_id(command->call));
        txn_read(txn, SQL_SEEN, &args, on_seen, command);
    }
    if (command->load) {
        command->load(command, txn);
    }
}

/* The command was done before: its answer again, and nothing else. */
static int repeat_answer(struct command *command, struct run *run)
{
    if (!run->seen || strcmp(run->seen->method, call_method(command->call)) != 0) {
        problem_set(&run->problem, 409, "command-id-reused", "command_id",
                    "this command_id belongs to another command");
        return -EEXIST;
    }
    size_t len = run->seen->body.len;
    run->answer = malloc(len ? len : 1);
    if (!run->answer) {
        return -ENOMEM;
    }
    if (len) {
        memcpy(run->answer, run->seen->body.data, len);
    }
    run->answer_len = len;
    call_was_allowed(command->call);
    return 0;
}

static int remember(struct command *command, struct run *run, struct txn *txn)
{
    Moment__V1__Call stored;
    struct db_args args;
    uint8_t *bytes = NULL;
    size_t len = 0;

    moment__v1__call__init(&stored);
    stored.method = (char *)(uintptr_t)call_method(command->call);
    stored.body.data = run->answer;
    stored.body.len = run->answer_len;
    int rc = protobuf_write(&stored.base, &bytes, &len);
    if (rc < 0) {
        return rc;
    }
    db_args_init(&args);
    db_text(&args, run->source);
    db_text(&args, call_command_id(command->call));
    db_bytes(&args, bytes, len);
    txn_write(txn, SQL_REMEMBER, &args);
    free(bytes);
    return 0;
}

static int run_apply(struct command *command, struct run *run, struct txn *txn)
{
    ProtobufCMessage *response = NULL;
    int rc = command->apply(command, txn, &response, &run->problem);

    if (rc < 0) {
        assert(!response);
        return rc;
    }
    /* The effect is in the transaction already; only dying keeps it from committing, when nobody
     * looked whether this caller may have it, or (below) when the answer cannot be kept. */
    assert(call_is_checked(command->call));
    assert(response);
    assert(response->descriptor == call_route(command->call)->response);
    rc = protobuf_write(response, &run->answer, &run->answer_len);
    protobuf_c_message_free_unpacked(response, NULL);
    if (rc == 0 && call_command_id(command->call)[0]) {
        rc = remember(command, run, txn);
    }
    assert(rc == 0);
    return 0;
}

static int apply_work(struct work *work, struct txn *txn)
{
    struct command *command = container_of(work, struct command, work);
    struct run *run = command->private_data;

    return run->was_seen ? repeat_answer(command, run) : run_apply(command, run, txn);
}

static void explain(struct run *run, int status, const struct db_error *error)
{
    if (run->problem.status) {
        return;
    }
    if (error && error->message[0]) {
        problem_set(&run->problem, 500, "database-refused", NULL, "the database says: %.400s",
                    error->message);
    } else if (status == -ENOBUFS || status == -ESHUTDOWN || status == -ECANCELED) {
        problem_set(&run->problem, 503, "busy", NULL, "%s takes no more work now", run->bus->name);
    } else {
        problem_set(&run->problem, 500, "failed", NULL, "the command failed: %s",
                    strerror(-status));
    }
}

static void end(struct command *command)
{
    struct run *run = command->private_data;

    if (command->finish) {
        command->finish(command);
    }
    forget_attempt(run);
    free(run);
    free(command);
}

static void done(struct work *work, int status, const struct db_error *error)
{
    struct command *command = container_of(work, struct command, work);
    struct run *run = command->private_data;

    if (status < 0) {
        explain(run, status, error);
        call_fail(command->call, &run->problem);
        end(command);
    } else if (!command->settle || !command->settle(command)) {
        command_settled(command);
    }
}

void command_settled(struct command *command)
{
    struct run *run = command->private_data;

    call_reply_bytes(command->call, run->answer, run->answer_len);
    end(command);
}

static const struct work_ops work_ops = {.load = load_work, .apply = apply_work, .done = done};

void *command_new(size_t size, struct call *call, void *state, command_load_fn *load,
                  command_apply_fn *apply)
{
    struct command *command = calloc(1, size);

    assert(size >= sizeof(*command));
    if (!command) {
        abort();
    }
    command->call = call;
    command->state = state;
    command->load = load;
    command->apply = apply;
    return command;
}

void command_start(struct bus *bus, struct command *command)
{
    struct run *run = calloc(1, sizeof(*run));

    assert(bus->options.stream);
    assert(command->apply);
    assert(run);
    run->bus = bus;
    snprintf(run->source, sizeof(run->source), "command:%s", call_caller(command->call)->id);
    command->private_data = run;
    command->work.ops = &work_ops;
    command->work.bytes = call_bytes(command->call) + sizeof(*command);
    int rc = stream_submit(bus->options.stream, &command->work);
    if (rc < 0) {
        done(&command->work, rc, NULL);
    }
}
