/* bus: two of them in one process, over loopback with CURVE. The stream is a fake made here. */
#include "base/clock.h"
#include "io/bus.h"
#include "io/bus_parts.h"
#include "io/counters.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

/* --- a stream of 20 records of 100 bytes, all committed --- */

#define HEAD 20
#define BODY_LEN 100

struct follower {
    const struct follower_ops *ops;
    void *arg;
    uint64_t next;
};

static struct follower *following;

struct position stream_head(const struct stream *stream)
{
    (void)stream;
    return (struct position){.epoch = 3, .seq = HEAD};
}

uint64_t stream_tail(const struct stream *stream)
{
    (void)stream;
    return 1;
}

/* Takes nothing, or does it at once. */
static bool takes_work;

int stream_submit(struct stream *stream, struct work *work)
{
    (void)stream;
    if (!takes_work) {
        return -ENOBUFS;
    }
    work->ops->load(work, NULL);
    work->ops->done(work, work->ops->apply(work, NULL), NULL);
    return 0;
}

void txn_read(struct txn *txn, const char *sql, struct db_args *args, db_result_fn *on_rows,
              void *arg)
{
    (void)txn;
    (void)sql;
    assert_true(takes_work);
    db_args_done(args);
    on_rows(arg, 0, NULL, NULL);
}

/* What `seen` holds, if anything: a row of one packed Call. */
static uint8_t seen[200];
static size_t seen_len;

size_t db_count(const struct db_rows *rows)
{
    (void)rows;
    return seen_len > 0;
}

struct slice db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    (void)rows;
    (void)row;
    (void)column;
    return (struct slice){(const char *)seen, seen_len};
}

void txn_write(struct txn *txn, const char *sql, struct db_args *args)
{
    (void)txn;
    (void)sql;
    (void)args;
    fail();
}

static void deliver(struct follower *follower)
{
    static const char body[BODY_LEN];

    while (follower->next <= HEAD) {
        struct record record = {.epoch = 3,
                                .seq = follower->next++,
                                .site = "main",
                                .key = "k",
                                .type = "Text",
                                .body = {body, sizeof(body)}};
        if (!follower->ops->on_record(follower->arg, &record)) {
            return;
        }
    }
    follower->ops->on_idle(follower->arg);
}

int follower_open(struct stream *stream, struct position from, const struct follower_ops *ops,
                  void *arg, struct follower **ret_follower)
{
    struct follower *follower = calloc(1, sizeof(*follower));

    (void)stream;
    assert_non_null(follower);
    follower->ops = ops;
    follower->arg = arg;
    follower->next = from.seq + 1;
    following = follower;
    *ret_follower = follower;
    return 0;
}

void follower_resume(struct follower *follower)
{
    deliver(follower);
}

void follower_close(struct follower **follower)
{
    if (following == *follower) {
        following = NULL;
    }
    free(*follower);
    *follower = NULL;
}

/* --- two buses --- */

struct fixture {
    struct loop *loop;
    char dir[64];
    char operator_key[41];
    char source_keys[2][41]; /* public, secret */
    struct bus *server;
    struct bus *client;
    struct timer *poll;
    bool (*until)(struct fixture *fixture);
    bool is_late;
    int64_t deadline_us;
    /* what happened */
    bool is_up;
    char down_reason[200];
    int replies;
    struct problem problem; /* of the last reply; status 0: none */
    char previous[64];
    uint32_t seen_roles;
    char seen_id[64];
    char seen_command_id[64];
    int asked;
    int downs;
    bool asks_when_up;
    struct call *kept;
    struct submission *submission;
    struct frame_received last; /* on the raw socket */
    bool died;                  /* the child did */
};

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_pair(struct fixture *fixture, const char *name, char public_key[41])
{
    char secret_key[41];
    char file[64];

    bus_new_keys(public_key, secret_key);
    snprintf(file, sizeof(file), "%s.public", name);
    write_file(fixture, file, public_key);
    snprintf(file, sizeof(file), "%s.secret", name);
    write_file(fixture, file, secret_key);
}

/* Not clock_mono_us: some tests move that. */
static int64_t real_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static void on_poll(void *arg)
{
    struct fixture *fixture = arg;

    fixture->is_late = real_us() > fixture->deadline_us;
    if (fixture->is_late || fixture->until(fixture)) {
        timer_stop(fixture->poll);
        loop_stop(fixture->loop);
    }
}

static bool run_until(struct fixture *fixture, bool (*until)(struct fixture *fixture),
                      int64_t limit_ms)
{
    fixture->until = until;
    fixture->deadline_us = real_us() + limit_ms * US_PER_MS;
    timer_start(fixture->poll, 0, 2);
    loop_run(fixture->loop);
    return !fixture->is_late;
}

#define await(fixture, until) assert_true(run_until(fixture, until, 4000))

static bool is_up(struct fixture *fixture)
{
    return fixture->is_up;
}

static bool is_down(struct fixture *fixture)
{
    return !fixture->is_up;
}

static bool has_reply(struct fixture *fixture)
{
    return fixture->replies > 0;
}

static bool has_replied_twice(struct fixture *fixture)
{
    return fixture->replies > 1;
}

static bool has_refused_handshake(struct fixture *fixture)
{
    (void)fixture;
    return metric_get(&counter_handshakes, "refused") > 0;
}

static void start_asking(struct fixture *fixture, const char *command_id, const char *text);

static void on_link(void *arg, const char *peer, bool up, const char *reason)
{
    struct fixture *fixture = arg;

    assert_string_equal(peer, "ingest");
    fixture->is_up = up;
    fixture->downs += !up;
    if (up && fixture->asks_when_up) {
        start_asking(fixture, "", "at once");
    }
    snprintf(fixture->down_reason, sizeof(fixture->down_reason), "%s", reason);
}

static void on_echo(void *state, struct call *call)
{
    struct fixture *fixture = state;
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(call);
    Moment__V1__SetLogLevelResponse response;

    fixture->seen_roles = call_caller(call)->roles;
    snprintf(fixture->seen_id, sizeof(fixture->seen_id), "%s", call_caller(call)->id);
    fixture->asked++;
    snprintf(fixture->seen_command_id, sizeof(fixture->seen_command_id), "%s",
             call_command_id(call));
    if (strcmp(request->level, "keep") == 0 && !fixture->kept) {
        fixture->kept = call;
        return;
    }
    moment__v1__set_log_level_response__init(&response);
    response.previous = request->level;
    call_reply(call, &response.base);
}

/* "filter" filters. */
static void on_list(void *state, struct call *call)
{
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(call);

    if (strcmp(request->level, "filter") == 0) {
        assert_int_equal(call_reach(call).site_count, call_caller(call)->site_count);
    }
    on_echo(state, call);
}

/* A thing at the site that was sent; whatever the answer, it is given. */
static void on_thing(void *state, struct call *call)
{
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(call);
    const struct place place = {.site = request->level};

    if (strcmp(request->level, "unasked") != 0) {
        (void)call_allows(call, &place);
    }
    on_echo(state, call);
}

static int never_applied(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    (void)command;
    (void)txn;
    (void)ret_response;
    (void)problem;
    fail();
    return 0;
}

/* Looks at the thing at the site that was sent, unless "unasked", and answers in any case. */
static int apply_touch(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                       struct problem *problem)
{
    const Moment__V1__SetLogLevelRequest *request =
        (const Moment__V1__SetLogLevelRequest *)(const void *)call_request(command->call);
    const struct place place = {.site = request->level};
    Moment__V1__SetLogLevelResponse *response = calloc(1, sizeof(*response));

    (void)txn;
    (void)problem;
    assert_non_null(response);
    if (strcmp(request->level, "unasked") != 0) {
        (void)call_allows(command->call, &place);
    }
    moment__v1__set_log_level_response__init(response);
    *ret_response = &response->base;
    return 0;
}

static void start_touch(struct bus *bus, struct call *call)
{
    command_start(bus, command_new(sizeof(struct command), call, NULL, NULL, apply_touch));
}

/* Tries it in a child first: what happens to the process. */
static void on_touch(void *state, struct call *call)
{
    struct fixture *fixture = state;
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        assert_non_null(freopen("/dev/null", "w", stderr));
        start_touch(fixture->server, call);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    fixture->died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    if (fixture->died) {
        call_refuse(call, 503, "died", NULL, "the process ended");
    } else {
        start_touch(fixture->server, call);
    }
}

static void on_change(void *state, struct call *call)
{
    struct fixture *fixture = state;

    command_start(fixture->server,
                  command_new(sizeof(struct command), call, NULL, NULL, never_applied));
}

static void on_submitted(void *state, struct submission *submission)
{
    struct fixture *fixture = state;

    assert_null(fixture->submission);
    fixture->submission = submission;
}

#define ROUTE(method, roles, scope, handler)                                                       \
    {                                                                                              \
        method, roles, scope, &moment__v1__set_log_level_request__descriptor,                      \
            &moment__v1__set_log_level_response__descriptor, handler                               \
    }
static const struct call_route routes[] = {
    ROUTE("ingest.Echo", ROLE_OPERATOR | ROLE_SERVICE | ROLE_LEADER, SCOPE_EVERYBODY, on_echo),
    ROUTE("ingest.Leaders", ROLE_LEADER, SCOPE_WHOLE, on_echo),
    ROUTE("ingest.Change", ROLE_OPERATOR, SCOPE_WHOLE, on_change),
    ROUTE("ingest.Forgotten", ROLE_OPERATOR, SCOPE_NONE, on_echo),
    ROUTE("ingest.List", ROLE_LEADER, SCOPE_LIST, on_list),
    ROUTE("ingest.Thing", ROLE_LEADER, SCOPE_THING, on_thing),
    ROUTE("ingest.Touch", ROLE_LEADER, SCOPE_THING, on_touch),
};
static const struct call_table tables[] = {{routes, countof(routes), NULL}};

static void make_files(struct fixture *fixture, const char *client_user)
{
    char key[41];
    char allow[512];

    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/bus-test.XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    make_pair(fixture, "ingest", key);
    make_pair(fixture, "operator", fixture->operator_key);
    bus_new_keys(fixture->source_keys[0], fixture->source_keys[1]);
    snprintf(allow, sizeof(allow), "# who may connect\n%s service:ingest\n\n%s %s\n", key,
             fixture->operator_key, client_user);
    write_file(fixture, "allow", allow);
}

static void open_buses(struct fixture *fixture)
{
    char error[256] = "";
    const struct bus_options server = {.name = "ingest",
                                       .keys_dir = fixture->dir,
                                       .stream = (struct stream *)(void *)fixture,
                                       .tables = tables,
                                       .table_count = 1,
                                       .submitted = on_submitted};
    const struct bus_options client = {
        .name = "operator", .keys_dir = fixture->dir, .on_link = on_link, .arg = fixture};

    assert_int_equal(bus_open(fixture->loop, &server, &fixture->server, error, sizeof(error)), 0);
    bus_set_state(fixture->server, fixture);
    assert_int_equal(bus_bind(fixture->server, "tcp://127.0.0.1:*", error, sizeof(error)), 0);
    assert_int_equal(bus_open(fixture->loop, &client, &fixture->client, error, sizeof(error)), 0);
}

static void connect_client(struct fixture *fixture)
{
    char error[256] = "";

    assert_int_equal(
        bus_connect(fixture->client, "ingest", bus_endpoint(fixture->server), error, sizeof(error)),
        0);
}

static int set_up_as(void **state, const char *client_user)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop), 0);
    assert_int_equal(timer_new(fixture->loop, on_poll, fixture, &fixture->poll), 0);
    make_files(fixture, client_user);
    open_buses(fixture);
    counter_handshakes.series_count = 0;
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    return set_up_as(state, "operator:local");
}

static int set_up_reporting(void **state)
{
    return set_up_as(state, "service:reporting");
}

static int set_up_feedback(void **state)
{
    return set_up_as(state, "service:feedback");
}

static void remove_files(const struct fixture *fixture)
{
    static const char *const names[] = {"allow", "ingest.public", "ingest.secret",
                                        "operator.public", "operator.secret"};
    char path[128];

    for (size_t i = 0; i < countof(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", fixture->dir, names[i]);
        unlink(path);
    }
    rmdir(fixture->dir);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct problem problem;

    clock_set_for_test(-1, 0);
    takes_work = false;
    seen_len = 0;
    problem_set(&problem, 503, "end", NULL, "the test ends");
    if (fixture->kept) {
        call_fail(fixture->kept, &problem);
    }
    if (fixture->submission) {
        submission_refuse(fixture->submission, &problem);
    }
    bus_close(&fixture->client);
    bus_close(&fixture->server);
    timer_free(&fixture->poll);
    loop_free(&fixture->loop);
    frame_free(&fixture->last.frame);
    remove_files(fixture);
    free(fixture);
    return 0;
}

static void on_reply(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct fixture *fixture = arg;

    assert_true(!response != !problem);
    fixture->replies++;
    memset(&fixture->problem, 0, sizeof(fixture->problem));
    if (problem) {
        fixture->problem = *problem;
    } else {
        const Moment__V1__SetLogLevelResponse *answer =
            (const Moment__V1__SetLogLevelResponse *)(const void *)response;
        snprintf(fixture->previous, sizeof(fixture->previous), "%s", answer->previous);
    }
}

static void start_asking(struct fixture *fixture, const char *command_id, const char *text)
{
    Moment__V1__SetLogLevelRequest request;
    char level[64];

    snprintf(level, sizeof(level), "%s", text);
    moment__v1__set_log_level_request__init(&request);
    request.level = level;
    fixture->replies = 0;
    bus_call(fixture->client, "ingest", "ingest.Echo", NULL, command_id, &request.base,
             &moment__v1__set_log_level_response__descriptor, 10000, on_reply, fixture);
}

static void ask_as(struct fixture *fixture, const struct caller *caller, const char *method,
                   const char *text, uint32_t deadline_ms)
{
    Moment__V1__SetLogLevelRequest request;
    char level[64];

    snprintf(level, sizeof(level), "%s", text);
    moment__v1__set_log_level_request__init(&request);
    request.level = level;
    fixture->replies = 0;
    bus_call(fixture->client, "ingest", method, caller, "", &request.base,
             &moment__v1__set_log_level_response__descriptor, deadline_ms, on_reply, fixture);
    assert_int_equal(fixture->replies, 0); /* never from inside */
    await(fixture, has_reply);
}

static void ask(struct fixture *fixture, const char *method, const char *text)
{
    ask_as(fixture, NULL, method, text, 4000);
}

/* --- calls --- */

static void a_call_is_answered(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask(fixture, "ingest.Echo", "hello");
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->previous, "hello");
    assert_string_equal(fixture->seen_id, "operator:local");
    assert_int_equal(fixture->seen_roles, ROLE_OPERATOR);
}

static void an_unknown_method_is_404_and_names_it(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask(fixture, "ingest.Nothing", "");
    assert_int_equal(fixture->problem.status, 404);
    assert_non_null(strstr(fixture->problem.detail, "ingest.Nothing"));
}

static void a_method_without_the_callers_role_is_403(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask(fixture, "ingest.Leaders", "");
    assert_int_equal(fixture->problem.status, 403);
    assert_non_null(strstr(fixture->problem.detail, "leader"));
    assert_int_equal(fixture->seen_roles, 0);
}

static const struct caller leader = {.id = "user:1", .name = "A Leader", .roles = ROLE_LEADER};

static void an_operators_claim_to_be_a_leader_is_not_believed(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader, "ingest.Leaders", "", 4000);
    assert_int_equal(fixture->problem.status, 403);
}

static void only_reporting_speaks_for_people(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader, "ingest.Leaders", "x", 4000);
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->seen_id, "user:1");
    /* Nobody becomes a service by saying so. */
    struct caller liar = leader;
    liar.roles = ROLE_SERVICE;
    ask_as(fixture, &liar, "ingest.Echo", "x", 4000);
    assert_int_equal(fixture->problem.status, 403);
}

static void ask_itself(struct fixture *fixture, const char *method, const char *text)
{
    Moment__V1__SetLogLevelRequest request;
    char level[64];

    snprintf(level, sizeof(level), "%s", text);
    moment__v1__set_log_level_request__init(&request);
    request.level = level;
    fixture->replies = 0;
    fixture->seen_id[0] = 0;
    bus_call(fixture->server, "ingest", method, &leader, "", &request.base,
             &moment__v1__set_log_level_response__descriptor, 4000, on_reply, fixture);
    assert_int_equal(fixture->replies, 0); /* never from inside */
    await(fixture, has_reply);
}

/* By the same table: what is not open to a service is not open to itself. */
static void a_service_asks_itself_by_its_own_name(void **state)
{
    struct fixture *fixture = *state;

    ask_itself(fixture, "ingest.Echo", "x");
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->previous, "x");
    assert_string_equal(fixture->seen_id, "service:ingest");
    assert_int_equal(fixture->seen_roles, ROLE_SERVICE);
    ask_itself(fixture, "ingest.Leaders", "x");
    assert_int_equal(fixture->problem.status, 403);
    ask_itself(fixture, "ingest.Nothing", "x");
    assert_int_equal(fixture->problem.status, 404);
    assert_string_equal(fixture->seen_id, "");
    bus_drain(fixture->server);
    ask_itself(fixture, "ingest.Echo", "x");
    assert_int_equal(fixture->problem.status, 503);
}

static void another_service_is_a_service_whatever_it_says(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader, "ingest.Echo", "x", 4000);
    assert_int_equal(fixture->seen_roles, ROLE_SERVICE);
    assert_string_equal(fixture->seen_id, "service:feedback");
}

/* --- scopes --- */

static const char *const lyon[] = {"lyon"};
static const struct caller leader_of_lyon = {
    .id = "user:2", .name = "", .roles = ROLE_LEADER, .sites = lyon, .site_count = 1};

static void a_method_without_a_scope_answers_nobody(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask(fixture, "ingest.Forgotten", "x");
    assert_int_equal(fixture->problem.status, 500);
    assert_string_equal(fixture->problem.type, "scope-missing");
    assert_int_equal(fixture->asked, 0);
}

static void a_list_that_was_not_filtered_is_not_sent(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader, "ingest.List", "all", 4000);
    assert_int_equal(fixture->problem.status, 500);
    assert_string_equal(fixture->problem.type, "scope-not-checked");
    ask_as(fixture, &leader, "ingest.List", "filter", 4000);
    assert_int_equal(fixture->problem.status, 0);
}

static void a_thing_that_was_not_allowed_is_not_sent(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader_of_lyon, "ingest.Thing", "unasked", 4000);
    assert_string_equal(fixture->problem.type, "scope-not-checked");
    ask_as(fixture, &leader_of_lyon, "ingest.Thing", "metz", 4000);
    assert_int_equal(fixture->problem.status, 500);
    assert_string_equal(fixture->problem.type, "scope-not-checked");
    ask_as(fixture, &leader_of_lyon, "ingest.Thing", "lyon", 4000);
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->previous, "lyon");
}

static void an_effect_that_nobody_allowed_never_commits(void **state)
{
    struct fixture *fixture = *state;

    takes_work = true;
    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader_of_lyon, "ingest.Touch", "lyon", 4000);
    assert_int_equal(fixture->problem.status, 0);
    assert_false(fixture->died);
    ask_as(fixture, &leader_of_lyon, "ingest.Touch", "unasked", 4000);
    assert_true(fixture->died);
    ask_as(fixture, &leader_of_lyon, "ingest.Touch", "metz", 4000);
    assert_true(fixture->died);
}

/* It was allowed to the same caller when it was made. */
static void an_answer_out_of_seen_is_sent(void **state)
{
    struct fixture *fixture = *state;
    Moment__V1__SetLogLevelRequest request;
    Moment__V1__SetLogLevelResponse answer;
    Moment__V1__Call stored;
    uint8_t body[50];
    char method[] = "ingest.Touch", level[] = "unasked", previous[] = "as before";

    moment__v1__set_log_level_response__init(&answer);
    answer.previous = previous;
    moment__v1__call__init(&stored);
    stored.method = method;
    stored.body.data = body;
    stored.body.len = moment__v1__set_log_level_response__pack(&answer, body);
    seen_len = moment__v1__call__pack(&stored, seen);
    takes_work = true;
    connect_client(fixture);
    await(fixture, is_up);
    moment__v1__set_log_level_request__init(&request);
    request.level = level;
    bus_call(fixture->client, "ingest", method, &leader_of_lyon, "command-1", &request.base,
             &moment__v1__set_log_level_response__descriptor, 4000, on_reply, fixture);
    await(fixture, has_reply);
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->previous, "as before");
    assert_false(fixture->died);
}

static void the_whole_is_not_for_who_is_limited(void **state)
{
    struct fixture *fixture = *state;
    struct caller of_a_team = {
        .id = "user:3", .name = "", .roles = ROLE_LEADER, .teams = lyon, .team_count = 1};

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, &leader_of_lyon, "ingest.Leaders", "x", 4000);
    assert_int_equal(fixture->problem.status, 403);
    assert_string_equal(fixture->problem.type, "forbidden");
    assert_int_equal(fixture->asked, 0);
    ask_as(fixture, &of_a_team, "ingest.Leaders", "x", 4000);
    assert_int_equal(fixture->problem.status, 403);
    ask_as(fixture, &leader, "ingest.Leaders", "x", 4000);
    assert_int_equal(fixture->problem.status, 0);
}

static void a_reach_is_sites_and_teams(void **state)
{
    static const char *const red[] = {"red", "blue"};
    const struct reach everything = {.person_id = "", .user_id = "u"};
    const struct reach at_lyon = {
        .sites = lyon, .site_count = 1, .person_id = "anna", .user_id = "u"};
    const struct reach of_red = {.teams = red, .team_count = 2, .person_id = "", .user_id = "u"};
    const struct place nowhere = {.site = NULL};
    const struct place in_lyon = {.site = "lyon", .team = "blue"};
    const struct place in_metz = {.site = "metz", .team = "", .person_id = "anna"};
    const struct place waiting = {.site = "lyon", .team = "", .is_of_every_team = true};
    const struct place of_green = {.site = "lyon", .team = "green", .is_of_every_team = true};

    (void)state;
    assert_true(reach_holds(&everything, &nowhere));
    assert_true(reach_holds(&at_lyon, &in_lyon));
    assert_false(reach_holds(&at_lyon, &in_metz)); /* being about somebody is for agents */
    assert_false(reach_holds(&at_lyon, &nowhere));
    assert_true(reach_holds(&of_red, &in_lyon));
    assert_false(reach_holds(&of_red, &in_metz));
    assert_false(reach_holds(&of_red, &nowhere));
    assert_true(reach_holds(&of_red, &waiting));
    assert_false(reach_holds(&of_red, &of_green));
}

static void an_agent_reaches_their_own(void **state)
{
    const struct caller agent = {.id = "u", .roles = ROLE_AGENT, .person_id = "anna"};
    const struct caller nobody = {.id = "u", .roles = ROLE_AGENT};
    const struct caller both = {.id = "u", .roles = ROLE_AGENT | ROLE_COACH};
    const struct reach of_agent = caller_reach(&agent);
    const struct reach of_nobody = caller_reach(&nobody);
    const struct reach of_both = caller_reach(&both);
    const struct caller keeper = {
        .id = "u", .roles = ROLE_AGENT | ROLE_OPERATOR, .person_id = "anna"};
    const struct reach of_keeper = caller_reach(&keeper);
    const struct place about_anna = {.site = "lyon", .person_id = "anna"};
    const struct place about_bob = {.site = "lyon", .person_id = "bob", .author_id = "v"};
    const struct place by_u = {.person_id = "bob", .author_id = "u"};
    const struct place unknown = {.person_id = "", .author_id = ""};

    (void)state;
    assert_true(reach_holds(&of_agent, &about_anna));
    assert_false(reach_holds(&of_agent, &about_bob));
    assert_true(reach_holds(&of_agent, &by_u));
    assert_false(reach_holds(&of_agent, &unknown));
    assert_false(reach_holds(&of_nobody, &about_anna));
    assert_false(reach_holds(&of_nobody, &unknown));
    assert_true(reach_holds(&of_both, &about_bob));
    assert_true(reach_holds(&of_keeper, &about_anna));
    assert_false(reach_holds(&of_keeper, &about_bob)); /* operators see no contents */
}

static void what_is_not_there_and_what_is_hidden_sound_alike(void **state)
{
    struct problem problem;

    (void)state;
    assert_int_equal(call_not_found(&problem, "note_id", "note"), -ENOENT);
    assert_int_equal(problem.status, 404);
    assert_string_equal(problem.type, "not-found");
    assert_string_equal(problem.field, "note_id");
    assert_string_equal(problem.detail, "There is no such note, or you may not see it.");
}

static void who_has_not_seen_what_is_there_changes_nothing(void **state)
{
    struct problem problem;

    (void)state;
    assert_int_equal(call_check_revision(&problem, 7, 7), 0);
    assert_int_equal(call_check_revision(&problem, 0, 0), 0);
    assert_int_equal(call_check_revision(&problem, 0, 7), -EINVAL);
    assert_int_equal(problem.status, 428);
    assert_string_equal(problem.type, "revision-required");
    assert_int_equal(call_check_revision(&problem, 6, 7), -ESTALE);
    assert_int_equal(problem.status, 412);
    assert_string_equal(problem.type, "stale");
    assert_string_equal(problem.field, "if_revision");
    assert_int_equal(call_check_revision(&problem, 3, 0), -ESTALE);
}

static void an_answer_that_does_not_come_is_504(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask_as(fixture, NULL, "ingest.Echo", "keep", 20);
    assert_int_equal(fixture->problem.status, 504);
    /* The late answer hits nobody. */
    struct problem problem;
    problem_set(&problem, 500, "late", NULL, "late");
    call_fail(fixture->kept, &problem);
    fixture->kept = NULL;
    fixture->replies = 0;
    ask(fixture, "ingest.Echo", "again");
    assert_string_equal(fixture->previous, "again");
    assert_int_equal(fixture->replies, 1);
}

static void a_peer_that_is_not_there_is_503_at_once(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, "ingest.Echo", "x");
    assert_int_equal(fixture->problem.status, 503);
    char error[256];
    assert_int_equal(
        bus_connect(fixture->client, "ingest", "tcp://127.0.0.1:1", error, sizeof(error)), 0);
    ask(fixture, "ingest.Echo", "x");
    assert_int_equal(fixture->problem.status, 503);
}

static void calls_end_when_the_bus_closes(void **state)
{
    struct fixture *fixture = *state;
    Moment__V1__SetLogLevelRequest request;

    connect_client(fixture);
    await(fixture, is_up);
    moment__v1__set_log_level_request__init(&request);
    bus_call(fixture->client, "ingest", "ingest.Echo", NULL, "", &request.base,
             &moment__v1__set_log_level_response__descriptor, 4000, on_reply, fixture);
    bus_close(&fixture->client);
    assert_int_equal(fixture->replies, 1);
    assert_int_equal(fixture->problem.status, 503);
}

static void a_command_that_the_stream_cannot_take_is_503(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    ask(fixture, "ingest.Change", "x");
    assert_int_equal(fixture->problem.status, 503);
    assert_string_equal(fixture->problem.type, "busy");
}

static void a_draining_bus_takes_no_calls(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    bus_drain(fixture->server);
    ask(fixture, "ingest.Echo", "x");
    assert_int_equal(fixture->problem.status, 503);
    assert_string_equal(fixture->problem.type, "draining");
}

/* --- a peer that restarts behind the same socket --- */

static void later(int64_t us)
{
    clock_set_for_test(clock_wall_us(), clock_mono_us() + us);
}

/* As a process does that has just started: whoever speaks is a stranger. */
static void forget(struct fixture *fixture)
{
    assert_non_null(fixture->server->sessions);
    fixture->server->sessions->address.len = 0;
}

static void be_up_for_a_while(struct fixture *fixture)
{
    connect_client(fixture);
    await(fixture, is_up);
    later(2 * US_PER_S);
}

static bool has_kept(struct fixture *fixture)
{
    return fixture->kept != NULL;
}

static void a_peer_that_forgot_us_is_greeted_and_asked_again(void **state)
{
    struct fixture *fixture = *state;

    be_up_for_a_while(fixture);
    forget(fixture);
    start_asking(fixture, "c-1", "one");
    await(fixture, has_reply);
    assert_int_equal(fixture->problem.status, 0);
    assert_string_equal(fixture->previous, "one");
    assert_string_equal(fixture->seen_command_id, "c-1");
    assert_int_equal(fixture->asked, 1);
    assert_int_equal(fixture->downs, 0);
}

static void a_call_under_way_is_asked_again_when_its_peer_restarts(void **state)
{
    struct fixture *fixture = *state;

    be_up_for_a_while(fixture);
    start_asking(fixture, "", "keep");
    await(fixture, has_kept);
    forget(fixture); /* the next BEAT is refused */
    await(fixture, has_reply);
    assert_int_equal(fixture->problem.status, 0);
    assert_int_equal(fixture->asked, 2);
}

static bool is_greeting_again(struct fixture *fixture)
{
    return link_is_greeting_again(fixture->client->links->link);
}

static void a_call_during_the_second_greeting_waits_for_it(void **state)
{
    struct fixture *fixture = *state;

    be_up_for_a_while(fixture);
    forget(fixture);
    fixture->server->session_count = SESSIONS_MAX; /* no WELCOME for now */
    await(fixture, is_greeting_again);
    assert_false(bus_link_is_up(fixture->client, "ingest"));
    start_asking(fixture, "", "early");
    assert_false(run_until(fixture, has_reply, 50));
    /* In vain: then it is as any link that is lost, and nobody waits for his deadline. */
    later(5 * US_PER_S + 1);
    await(fixture, has_reply);
    assert_int_equal(fixture->problem.status, 503);
    assert_int_equal(fixture->downs, 1);
    assert_int_equal(fixture->asked, 0);
}

static void who_asks_as_soon_as_the_link_is_up_asks_once(void **state)
{
    struct fixture *fixture = *state;

    fixture->asks_when_up = true;
    connect_client(fixture);
    await(fixture, has_reply);
    assert_false(run_until(fixture, has_replied_twice, 50));
    assert_int_equal(fixture->asked, 1);
}

static void a_peer_that_forgets_us_all_the_time_is_no_loop(void **state)
{
    struct fixture *fixture = *state;

    be_up_for_a_while(fixture);
    forget(fixture);
    start_asking(fixture, "", "one");
    await(fixture, has_reply);
    forget(fixture);
    start_asking(fixture, "", "two");
    await(fixture, has_reply);
    assert_int_equal(fixture->problem.status, 503);
    assert_int_equal(fixture->asked, 1);
    await(fixture, is_up);
    assert_false(run_until(fixture, has_replied_twice, 50));
}

/* --- a raw peer: frames by hand --- */

static void *raw_peer(struct fixture *fixture, const char *public_key, const char *secret_key)
{
    struct curve_keys keys;

    memcpy(keys.public_key, public_key, sizeof(keys.public_key));
    memcpy(keys.secret_key, secret_key, sizeof(keys.secret_key));
    void *socket = curve_client(fixture->client->context, bus_endpoint(fixture->server), &keys,
                                fixture->server->keys.public_key);
    assert_non_null(socket);
    return socket;
}

static void *raw;

static bool has_frame(struct fixture *fixture)
{
    frame_free(&fixture->last.frame);
    return frame_receive(raw, false, &fixture->last) == 0 && fixture->last.frame &&
           fixture->last.frame->kind_case != MOMENT__V1__FRAME__KIND_BEAT;
}

static bool has_said_hello(struct fixture *fixture)
{
    Moment__V1__Frame frame;
    Moment__V1__Hello hello;

    (void)fixture;
    moment__v1__hello__init(&hello);
    hello.protocol = FRAME_PROTOCOL;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_HELLO;
    frame.hello = &hello;
    return frame_send(raw, NULL, &frame) == 0;
}

static void greet(struct fixture *fixture)
{
    await(fixture, has_said_hello);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->kind_case, MOMENT__V1__FRAME__KIND_WELCOME);
    assert_int_equal(fixture->last.frame->welcome->epoch, 3);
    assert_int_equal(fixture->last.frame->welcome->head, HEAD);
}

/* --- keys, watchdogs --- */

static void an_unknown_key_is_refused(void **state)
{
    struct fixture *fixture = *state;

    bus_disallow(fixture->server, "operator:local");
    connect_client(fixture);
    await(fixture, has_refused_handshake);
    assert_false(fixture->is_up);
    assert_int_equal(fixture->server->session_count, 0);
}

static void a_refused_key_gets_in_once_it_is_allowed(void **state)
{
    struct fixture *fixture = *state;

    bus_disallow(fixture->server, "operator:local");
    connect_client(fixture);
    await(fixture, has_refused_handshake);
    assert_int_equal(bus_allow(fixture->server, fixture->operator_key, "operator:local"), 0);
    /* libzmq never tries again after a refusal; the watchdog does, after 5 s without WELCOME. */
    later(5 * US_PER_S + 1);
    await(fixture, is_up);
}

static bool has_no_session(struct fixture *fixture)
{
    return fixture->server->session_count == 0;
}

static void a_peer_that_is_silent_for_15_s_is_dropped_and_told_to_greet_again(void **state)
{
    struct fixture *fixture = *state;
    Moment__V1__Frame frame;
    Moment__V1__Beat beat;

    raw = raw_peer(fixture, fixture->client->keys.public_key, fixture->client->keys.secret_key);
    greet(fixture);
    later(15 * US_PER_S + 1);
    await(fixture, has_no_session);
    moment__v1__beat__init(&beat);
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_BEAT;
    frame.beat = &beat;
    assert_int_equal(frame_send(raw, NULL, &frame), 0);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL);
    zmq_close(raw);
}

static void a_link_that_hears_nothing_for_15_s_starts_over(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    /* The server hangs: nobody reads its socket. */
    zwatch_close(&fixture->server->watch);
    timer_stop(fixture->server->timer);
    later(15 * US_PER_S + 1);
    await(fixture, is_down);
    assert_string_equal(fixture->down_reason, "nothing heard for 15 s");
}

static void a_wrong_server_key_gets_no_welcome(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "ingest.public", fixture->operator_key);
    connect_client(fixture);
    assert_false(run_until(fixture, is_up, 300));
}

static void a_revoked_key_is_cut_off(void **state)
{
    struct fixture *fixture = *state;

    connect_client(fixture);
    await(fixture, is_up);
    bus_disallow(fixture->server, "operator:local");
    assert_int_equal(fixture->server->session_count, 0);
    await(fixture, is_down);
    assert_non_null(strstr(fixture->down_reason, "no longer allowed"));
}

static void a_reload_cuts_who_is_gone_and_keeps_what_was_added(void **state)
{
    struct fixture *fixture = *state;
    char error[256];

    connect_client(fixture);
    await(fixture, is_up);
    write_file(fixture, "allow", "");
    assert_int_equal(bus_allow(fixture->server, fixture->source_keys[0], "source:pbx"), 0);
    assert_int_equal(bus_reload(fixture->server, error, sizeof(error)), 0);
    await(fixture, is_down);
    assert_true(zap_knows(fixture->server->zap, fixture->source_keys[0], "source:pbx"));
    write_file(fixture, "allow", "rubbish\n");
    assert_int_equal(bus_reload(fixture->server, error, sizeof(error)), -EINVAL);
    assert_non_null(strstr(error, "allow:1"));
    assert_true(zap_knows(fixture->server->zap, fixture->source_keys[0], "source:pbx"));
}

static void without_curve_nothing_is_heard(void **state)
{
    struct fixture *fixture = *state;
    void *plain = zmq_socket(fixture->client->context, ZMQ_DEALER);
    int linger = 0;

    zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof(linger));
    assert_int_equal(zmq_connect(plain, bus_endpoint(fixture->server)), 0);
    zmq_send(plain, "\x0a\x00", 2, ZMQ_DONTWAIT);
    assert_false(run_until(fixture, is_up, 200));
    assert_int_equal(fixture->server->session_count, 0);
    assert_true(metric_get(&counter_handshakes, "accepted") < 1);
    zmq_close(plain);
}

static void keys_that_are_missing_name_the_command(void **state)
{
    struct fixture *fixture = *state;
    struct bus *bus = NULL;
    char error[256];
    const struct bus_options options = {.name = "nobody", .keys_dir = fixture->dir};

    assert_true(bus_open(fixture->loop, &options, &bus, error, sizeof(error)) < 0);
    assert_null(bus);
    assert_non_null(strstr(error, "momentctl init"));
}

static void a_taken_port_is_one_sentence(void **state)
{
    struct fixture *fixture = *state;
    struct bus *bus = NULL;
    char error[256];
    const struct bus_options options = {
        .name = "ingest", .keys_dir = fixture->dir, .tables = tables, .table_count = 1};

    assert_int_equal(bus_open(fixture->loop, &options, &bus, error, sizeof(error)), 0);
    assert_int_equal(bus_bind(bus, bus_endpoint(fixture->server), error, sizeof(error)),
                     -EADDRINUSE);
    assert_non_null(strstr(error, "MOMENT_BUS_ADDRESS"));
    bus_close(&bus);
}

/* --- subscriptions and submissions --- */

static void send_subscribe(uint64_t nonce, uint64_t seq, uint64_t credit)
{
    Moment__V1__Frame frame;
    Moment__V1__Subscribe subscribe;
    char consumer[] = "feedback";

    moment__v1__subscribe__init(&subscribe);
    subscribe.nonce = nonce;
    subscribe.epoch = seq ? 3 : 0;
    subscribe.seq = seq;
    subscribe.credit = credit;
    subscribe.consumer = consumer;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_SUBSCRIBE;
    frame.subscribe = &subscribe;
    assert_int_equal(frame_send(raw, NULL, &frame), 0);
}

static void send_credit(uint64_t nonce, uint64_t bytes)
{
    Moment__V1__Frame frame;
    Moment__V1__Credit credit;

    moment__v1__credit__init(&credit);
    credit.nonce = nonce;
    credit.bytes = bytes;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_CREDIT;
    frame.credit = &credit;
    assert_int_equal(frame_send(raw, NULL, &frame), 0);
}

static bool is_followed(struct fixture *fixture)
{
    (void)fixture;
    return following != NULL;
}

static const Moment__V1__Data *next_data(struct fixture *fixture)
{
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->kind_case, MOMENT__V1__FRAME__KIND_DATA);
    return fixture->last.frame->data;
}

static void *subscriber_socket(struct fixture *fixture)
{
    assert_int_equal(bus_allow(fixture->server, fixture->source_keys[0], "service:feedback"), 0);
    return raw_peer(fixture, fixture->source_keys[0], fixture->source_keys[1]);
}

static void data_keeps_to_credit_and_nonce(void **state)
{
    struct fixture *fixture = *state;
    size_t weight = frame_record_weight(BODY_LEN);

    raw = subscriber_socket(fixture);
    greet(fixture);
    send_subscribe(7, 4, 3 * weight - 1);
    await(fixture, is_followed);
    deliver(following);
    const Moment__V1__Data *data = next_data(fixture);
    assert_int_equal(data->nonce, 7);
    assert_int_equal(data->epoch, 3);
    assert_int_equal(data->first_seq, 5);
    assert_int_equal(data->n_records, 3);
    assert_int_equal(data->records[2]->seq, 7);
    assert_int_equal(data->records[2]->body.len, BODY_LEN);
    send_credit(6, 1000000); /* of an older subscription */
    assert_false(run_until(fixture, has_frame, 100));
    send_credit(7, 1000000);
    data = next_data(fixture);
    assert_int_equal(data->first_seq, 8);
    assert_int_equal(data->n_records, HEAD - 7);
    zmq_close(raw);
}

static void a_position_the_stream_denies_is_refused(void **state)
{
    struct fixture *fixture = *state;

    raw = subscriber_socket(fixture);
    greet(fixture);
    send_subscribe(1, 500, 1000);
    await(fixture, is_followed);
    following->ops->on_error(following->arg, -EILSEQ);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_DIVERGED);
    following->ops->on_error(following->arg, -ERANGE);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_TRUNCATED);
    send_subscribe(2, 0, 0);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL);
    zmq_close(raw);
}

static void *source_socket(struct fixture *fixture)
{
    assert_int_equal(bus_allow(fixture->server, fixture->source_keys[0], "source:pbx"), 0);
    return raw_peer(fixture, fixture->source_keys[0], fixture->source_keys[1]);
}

static void send_submit(uint64_t id, size_t len)
{
    Moment__V1__Frame frame;
    Moment__V1__Submit submit;

    moment__v1__submit__init(&submit);
    submit.id = id;
    submit.body.data = calloc(1, len);
    submit.body.len = len;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_SUBMIT;
    frame.submit = &submit;
    assert_int_equal(frame_send(raw, NULL, &frame), 0);
    free(submit.body.data);
}

static bool is_submitted(struct fixture *fixture)
{
    return fixture->submission != NULL;
}

static void a_submission_is_answered_once_and_gives_its_credit_back(void **state)
{
    struct fixture *fixture = *state;

    raw = source_socket(fixture);
    greet(fixture);
    assert_int_equal(fixture->last.frame->welcome->submit_credit, SUBMIT_CREDIT);
    send_submit(1, 1000);
    await(fixture, is_submitted);
    assert_string_equal(submission_user(fixture->submission), "source:pbx");
    assert_int_equal(submission_body(fixture->submission).len, 1000);
    assert_int_equal(fixture->server->sessions->submit_bytes, 1000);
    send_submit(2, SUBMIT_CREDIT); /* over what is left */
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason, MOMENT__V1__REFUSE__REASON__REASON_BUSY);
    submission_accept(fixture->submission, 5, 2);
    fixture->submission = NULL;
    await(fixture, has_frame);
    const Moment__V1__Accepted *accepted = fixture->last.frame->accepted;
    assert_int_equal(accepted->id, 1);
    assert_int_equal(accepted->accepted, 5);
    assert_int_equal(accepted->duplicate, 2);
    assert_int_equal(accepted->credit, 1000);
    assert_int_equal(fixture->server->sessions->submit_bytes, 0);
    zmq_close(raw);
}

static void one_source_cannot_use_up_the_sessions_of_all(void **state)
{
    struct fixture *fixture = *state;
    void *peers[SESSIONS_PER_SOURCE + 3];

    for (size_t i = 0; i < countof(peers); i++) {
        peers[i] = raw = source_socket(fixture);
        greet(fixture);
    }
    assert_int_equal(fixture->server->session_count, SESSIONS_PER_SOURCE);
    /* The last one is there, the first one has to greet again. */
    send_submit(1, 10);
    await(fixture, is_submitted);
    submission_accept(fixture->submission, 1, 0);
    fixture->submission = NULL;
    raw = peers[0];
    send_submit(2, 10);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_PROTOCOL);
    for (size_t i = 0; i < countof(peers); i++)
        zmq_close(peers[i]);
}

static void a_source_may_neither_call_nor_subscribe(void **state)
{
    struct fixture *fixture = *state;
    Moment__V1__Frame frame;
    Moment__V1__Call call;
    char method[] = "ingest.Echo";

    raw = source_socket(fixture);
    greet(fixture);
    send_subscribe(1, 0, 1000);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED);
    moment__v1__call__init(&call);
    call.method = method;
    moment__v1__frame__init(&frame);
    frame.kind_case = MOMENT__V1__FRAME__KIND_CALL;
    frame.call = &call;
    assert_int_equal(frame_send(raw, NULL, &frame), 0);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->reply->problem->status, 403);
    zmq_close(raw);
}

static void the_list_is_asked_for_each_frame(void **state)
{
    struct fixture *fixture = *state;

    raw = source_socket(fixture);
    greet(fixture);
    timer_stop(fixture->server->timer);
    zap_disallow(fixture->server->zap, "source:pbx"); /* nobody cuts the session */
    send_submit(1, 10);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED);
    assert_null(fixture->submission);
    assert_int_equal(fixture->server->session_count, 0);
    zmq_close(raw);
}

static void an_operator_may_not_submit(void **state)
{
    struct fixture *fixture = *state;

    raw = raw_peer(fixture, fixture->client->keys.public_key, fixture->client->keys.secret_key);
    greet(fixture);
    assert_int_equal(fixture->last.frame->welcome->submit_credit, 0);
    send_submit(1, 10);
    await(fixture, has_frame);
    assert_int_equal(fixture->last.frame->refuse->reason,
                     MOMENT__V1__REFUSE__REASON__REASON_UNAUTHORISED);
    zmq_close(raw);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_AS(name, start) cmocka_unit_test_setup_teardown(name, start, tear_down)

/* Cut in the middle of a character it would be no text, and the answer no frame. */
static void a_problem_is_text_wherever_it_was_cut(void **state)
{
    struct problem problem;
    char quoted[1024];

    (void)state;
    for (size_t begin = 0; begin < 2; begin++) {
        memset(quoted, 'x', begin);
        for (size_t i = begin; i + 2 < sizeof(quoted); i += 2)
            memcpy(quoted + i, "\xc3\xa9", 3);
        problem_set(&problem, 422, "invalid-field", quoted, "Not known: \"%s\".", quoted);
        assert_true(text_is_utf8(problem.detail, strlen(problem.detail)));
        assert_true(text_is_utf8(problem.field, strlen(problem.field)));
    }
    problem_set(&problem, 422, "invalid-field", "events[0].\xc3", "x");
    assert_string_equal(problem.field, "events[0].?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_answered),
        TEST(an_unknown_method_is_404_and_names_it),
        cmocka_unit_test(a_problem_is_text_wherever_it_was_cut),
        TEST(a_method_without_the_callers_role_is_403),
        TEST(an_operators_claim_to_be_a_leader_is_not_believed),
        TEST_AS(only_reporting_speaks_for_people, set_up_reporting),
        TEST(a_service_asks_itself_by_its_own_name),
        TEST_AS(another_service_is_a_service_whatever_it_says, set_up_feedback),
        TEST(a_method_without_a_scope_answers_nobody),
        TEST_AS(a_list_that_was_not_filtered_is_not_sent, set_up_reporting),
        TEST_AS(a_thing_that_was_not_allowed_is_not_sent, set_up_reporting),
        TEST_AS(an_effect_that_nobody_allowed_never_commits, set_up_reporting),
        TEST_AS(an_answer_out_of_seen_is_sent, set_up_reporting),
        TEST_AS(the_whole_is_not_for_who_is_limited, set_up_reporting),
        cmocka_unit_test(a_reach_is_sites_and_teams),
        cmocka_unit_test(an_agent_reaches_their_own),
        cmocka_unit_test(what_is_not_there_and_what_is_hidden_sound_alike),
        cmocka_unit_test(who_has_not_seen_what_is_there_changes_nothing),
        TEST(an_answer_that_does_not_come_is_504),
        TEST(a_peer_that_is_not_there_is_503_at_once),
        TEST(calls_end_when_the_bus_closes),
        TEST(a_command_that_the_stream_cannot_take_is_503),
        TEST(a_draining_bus_takes_no_calls),
        TEST(a_peer_that_forgot_us_is_greeted_and_asked_again),
        TEST(a_call_under_way_is_asked_again_when_its_peer_restarts),
        TEST(a_call_during_the_second_greeting_waits_for_it),
        TEST(who_asks_as_soon_as_the_link_is_up_asks_once),
        TEST(a_peer_that_forgets_us_all_the_time_is_no_loop),
        TEST(an_unknown_key_is_refused),
        TEST(a_refused_key_gets_in_once_it_is_allowed),
        TEST(a_peer_that_is_silent_for_15_s_is_dropped_and_told_to_greet_again),
        TEST(a_link_that_hears_nothing_for_15_s_starts_over),
        TEST(a_wrong_server_key_gets_no_welcome),
        TEST(a_revoked_key_is_cut_off),
        TEST(a_reload_cuts_who_is_gone_and_keeps_what_was_added),
        TEST(without_curve_nothing_is_heard),
        TEST(keys_that_are_missing_name_the_command),
        TEST(a_taken_port_is_one_sentence),
        TEST(data_keeps_to_credit_and_nonce),
        TEST(a_position_the_stream_denies_is_refused),
        TEST(a_submission_is_answered_once_and_gives_its_credit_back),
        TEST(one_source_cannot_use_up_the_sessions_of_all),
        TEST(a_source_may_neither_call_nor_subscribe),
        TEST(the_list_is_asked_for_each_frame),
        TEST(an_operator_may_not_submit),
    };

    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
