/* toy_service NAME - the smallest service on service_main, for tests of the runtime itself.
 *
 * "ingest" answers toy.Emit: one record per call, its text in the body. "feedback" applies those
 * records to its table toy, refuses the text "refuse", lets the database refuse "duplicate", and
 * does not survive "crash". */
#include "base/text.h"
#include "io/json.h"
#include "io/service.h"
#include "moment/v1/stream.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct emit {
    struct command command; /* must be first */
};

static int emit_apply(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(command->call);
    Moment__V1__SetLogLevelResponse *response;
    uint32_t copies = request->revert_s ? request->revert_s : 1;

    if (strcmp(request->level, "no") == 0) {
        problem_set(problem, 422, "said-no", "level", "the text is no");
        return -EINVAL;
    }
    response = calloc(1, sizeof(*response));
    if (!response) {
        return -ENOMEM;
    }
    moment__v1__set_log_level_response__init(response);
    response->previous = strdup(request->level);
    for (uint32_t i = 0; i < copies; i++) {
        txn_emit(txn, "main", "key", "Text", txn_now_us(txn), request->level,
                 strlen(request->level));
    }
    *ret_response = &response->base;
    return 0;
}

static void on_emit(void *state, struct call *call)
{
    struct service *service = state;
    struct emit *emit = command_new(sizeof(*emit), call, service, NULL, emit_apply);

    command_start(service_bus(service), &emit->command);
}

static int start(struct service *service, void **ret_state)
{
    *ret_state = service;
    return 0;
}

static void on_rows(void *arg, int status, const struct db_rows *rows, const struct db_error *error)
{
    (void)arg;
    (void)status;
    (void)rows;
    (void)error;
}

static void load(void *state, struct txn *txn, const struct record *record)
{
    struct db_args args;

    (void)state;
    db_args_init(&args);
    db_i64(&args, (int64_t)record->seq);
    txn_read(txn, "select count(*) from toy where seq = $1", &args, on_rows, NULL);
}

static int apply(void *state, struct txn *txn, const char *producer, const struct record *record)
{
    struct db_args args;
    char text[128];

    (void)state;
    (void)producer;
    text_copy_slice(text, sizeof(text), record->body);
    if (strcmp(text, "refuse") == 0) {
        return -EBADMSG;
    }
    if (strcmp(text, "crash") == 0) {
        _exit(70);
    }
    db_args_init(&args);
    db_i64(&args, strcmp(text, "duplicate") == 0 ? 1 : (int64_t)record->seq);
    db_text(&args, text);
    txn_write(txn, "insert into toy (seq, text) values ($1, $2)", &args);
    return 0;
}

static const struct call_route calls[] = {
    {"toy.Emit", ROLE_OPERATOR, SCOPE_WHOLE, &moment__v1__set_log_level_request__descriptor,
     &moment__v1__set_log_level_response__descriptor, on_emit},
};
static const char *const consumes[] = {"ingest", NULL};

static const struct service_spec producer = {
    .name = "ingest",
    .calls = calls,
    .call_count = countof(calls),
    .start = start,
};
static const struct service_spec consumer = {
    .name = "feedback",
    .consumes = consumes,
    .start = start,
    .load = load,
    .apply = apply,
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "ingest") == 0) {
        return service_main(&producer, argc - 1, argv + 1);
    }
    return service_main(&consumer, argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
}
