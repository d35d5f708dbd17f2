#include "reporting/edge_users.h"

#include "base/clock.h"
#include "base/seal.h"
#include "moment/v1/reporting.pb-c.h"
#include "reporting/access.h"
#include "reporting/edge_live.h"
#include "reporting/store.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_MIN 8
#define PASSWORD_MAX 512
#define NAME_MAX_BYTES 256
#define DAY_US (86400 * US_PER_S)

static char *mutable_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void fail_busy(struct call *call)
{
    call_refuse(call, 503, "unavailable", "", "The database does not answer; try again.");
}

/* --- what is asked for --------------------------------------------------------------------- */

static bool is_login(const char *login)
{
    size_t len = strlen(login);

    for (const char *c = login; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("._@+-", *c) == NULL)
            return false;
    }
    return len >= 1 && len <= 128;
}

static bool are_roles(char *const *roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((role_parse(roles[i]) & ROLES_ANY) == 0)
            return false;
    }
    return count > 0;
}

/* "7kqzm-x2nva-...": 100 random bits without letters that look alike. */
static void make_password(char to[24])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789z";
    uint8_t random[20];
    size_t used = 0;

    seal_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i > 0 && i % 5 == 0)
            to[used++] = '-';
        to[used++] = letters[random[i] % 32];
    }
    to[used] = '\0';
}

/* --- users: one change, from the call to its answer ---------------------------------------- */

enum change { ADD, EDIT, SET_PASSWORD, REMOVE };

struct user_job {
    struct work work;
    struct reporting *reporting;
    struct call *call;
    enum change change;
    const char *login; /* of the request */
    struct id user_id;
    char password[PASSWORD_MAX + 1];
    bool is_made; /* the password: then it is told */
    char hash[SEAL_PASSWORD_SIZE];
    bool is_hashed;
    bool exists;
    int64_t created_at, last_login_at; /* of one that exists */
    struct problem problem;
};

static void job_free(struct user_job *job)
{
    explicit_bzero(job, sizeof(*job));
    free(job);
}

static void on_exists(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct user_job *job = arg;

    (void)error;
    job->exists = status == 0 && db_count(rows) > 0;
    if (!job->exists || job->change == ADD)
        return;
    db_get_uuid(rows, 0, 0, job->user_id.bytes);
    job->created_at = db_get_time(rows, 0, 1);
    job->last_login_at = db_get_time(rows, 0, 2);
}

static void load_user(struct work *work, struct txn *txn)
{
    struct user_job *job = container_of(work, struct user_job, work);

    store_load_account(txn, job->login, on_exists, job);
}

static void add_user(struct user_job *job, struct txn *txn)
{
    const Moment__V1__AddUserRequest *ask = (const void *)call_request(job->call);
    const struct caller *caller = call_caller(job->call);
    struct account account = {
        .user_id = job->user_id,
        .login = ask->login,
        .name = ask->name[0] != '\0' ? ask->name : ask->login,
        .password_hash = job->hash,
        .person_id = ask->person_id,
        .by = caller->id,
        .roles = (const char *const *)ask->roles,
        .sites = (const char *const *)ask->sites,
        .teams = (const char *const *)ask->teams,
        .role_count = ask->n_roles,
        .site_count = ask->n_sites,
        .team_count = ask->n_teams,
    };

    store_add_account(txn, &account);
}

static void edit_user(struct user_job *job, struct txn *txn)
{
    const Moment__V1__EditUserRequest *ask = (const void *)call_request(job->call);
    struct account account = {
        .user_id = job->user_id,
        .name = ask->name[0] != '\0' ? ask->name : ask->login,
        .person_id = ask->person_id,
        .by = call_caller(job->call)->id,
        .roles = (const char *const *)ask->roles,
        .sites = (const char *const *)ask->sites,
        .teams = (const char *const *)ask->teams,
        .role_count = ask->n_roles,
        .site_count = ask->n_sites,
        .team_count = ask->n_teams,
    };

    store_edit_account(txn, &account);
}

static int apply_user(struct work *work, struct txn *txn)
{
    struct user_job *job = container_of(work, struct user_job, work);

    if (job->change == ADD && job->exists) {
        problem_set(&job->problem, 409, "exists", "login", "There is a user %s already.",
                    job->login);
        return -EEXIST;
    }
    if (job->change != ADD && !job->exists) {
        problem_set(&job->problem, 404, "not-found", "login", "There is no user %s.", job->login);
        return -ENOENT;
    }
    switch (job->change) {
    case ADD:
        add_user(job, txn);
        return 0;
    case EDIT:
        edit_user(job, txn);
        return 0;
    case SET_PASSWORD:
        store_set_password(txn, job->login, job->hash);
        return 0;
    case REMOVE:
        store_remove_account(txn, job->login, call_caller(job->call)->id);
        return 0;
    }
    return -EINVAL;
}

static void answer_edited(const struct user_job *job)
{
    const Moment__V1__EditUserRequest *ask = (const void *)call_request(job->call);
    char text[ID_TEXT_SIZE];
    Moment__V1__UserInfo user;
    Moment__V1__EditUserResponse response;

    moment__v1__user_info__init(&user);
    user.user_id = mutable_text(id_print(&job->user_id, text));
    user.login = ask->login;
    user.name = ask->name[0] != '\0' ? ask->name : ask->login;
    user.roles = ask->roles;
    user.n_roles = ask->n_roles;
    user.sites = ask->sites;
    user.n_sites = ask->n_sites;
    user.teams = ask->teams;
    user.n_teams = ask->n_teams;
    user.person_id = ask->person_id;
    user.created_at = job->created_at;
    user.last_login_at = job->last_login_at;
    moment__v1__edit_user_response__init(&response);
    response.user = &user;
    call_reply(job->call, &response.base);
}

static void answer_user(const struct user_job *job)
{
    char *told = mutable_text(job->is_made ? job->password : "");
    char text[ID_TEXT_SIZE];

    switch (job->change) {
    case ADD: {
        Moment__V1__AddUserResponse response;

        moment__v1__add_user_response__init(&response);
        response.user_id = mutable_text(id_print(&job->user_id, text));
        response.password = told;
        call_reply(job->call, &response.base);
        return;
    }
    case EDIT:
        answer_edited(job);
        return;
    case SET_PASSWORD: {
        Moment__V1__SetPasswordResponse response;

        moment__v1__set_password_response__init(&response);
        response.password = told;
        call_reply(job->call, &response.base);
        return;
    }
    case REMOVE: {
        Moment__V1__RemoveUserResponse response;

        moment__v1__remove_user_response__init(&response);
        call_reply(job->call, &response.base);
        return;
    }
    }
}

static void done_user(struct work *work, int status, const struct db_error *error)
{
    struct user_job *job = container_of(work, struct user_job, work);

    (void)error;
    /* Two at once may both have found the login free. */
    if (status == -EEXIST && job->problem.status == 0)
        problem_set(&job->problem, 409, "exists", "login", "There is a user %s already.",
                    job->login);
    if (status == 0) {
        if (job->change != ADD)
            live_end_user(job->reporting, job->login);
        answer_user(job);
    } else if (job->problem.status != 0) {
        call_fail(job->call, &job->problem);
    } else {
        fail_busy(job->call);
    }
    job_free(job);
}

static const struct work_ops user_ops = {.load = load_user, .apply = apply_user, .done = done_user};

static void submit(struct user_job *job)
{
    job->work.ops = &user_ops;
    job->work.bytes = sizeof(*job);
    if (stream_submit(service_stream(job->reporting->service), &job->work) < 0) {
        fail_busy(job->call);
        job_free(job);
    }
}

/* On a worker thread. */
static void hash_password(void *arg)
{
    struct user_job *job = arg;

    job->is_hashed = seal_password_hash(job->password, job->hash) == 0;
}

static void on_hashed(void *arg)
{
    struct user_job *job = arg;

    if (job->is_hashed) {
        submit(job);
        return;
    }
    fail_busy(job->call);
    job_free(job);
}

static struct user_job *job_new(struct reporting *reporting, struct call *call, enum change change,
                                const char *login)
{
    if (!is_login(login)) {
        call_refuse(call, 422, "invalid-field", "login",
                    "A login is 1 to 128 letters, digits and . _ @ + -");
        return NULL;
    }
    struct user_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        fail_busy(call);
        return NULL;
    }
    job->reporting = reporting;
    job->call = call;
    job->change = change;
    job->login = login;
    job->user_id = id_v7();
    return job;
}

static void hash_and_submit(struct user_job *job, const char *password)
{
    size_t len = strlen(password);

    if (len > 0 && (len < PASSWORD_MIN || len > PASSWORD_MAX)) {
        call_refuse(job->call, 422, "invalid-field", "password", "A password has 8 to 512 bytes.");
        job_free(job);
        return;
    }
    job->is_made = len == 0;
    if (job->is_made)
        make_password(job->password);
    else
        text_copy(job->password, sizeof(job->password), password);
    if (loop_work(service_loop(job->reporting->service), hash_password, on_hashed, job) < 0) {
        fail_busy(job->call);
        job_free(job);
    }
}

/* False: the call was refused. */
static bool is_profile(struct call *call, const char *name, char *const *roles, size_t role_count)
{
    if (are_roles(roles, role_count) && strlen(name) <= NAME_MAX_BYTES)
        return true;
    if (strlen(name) > NAME_MAX_BYTES)
        call_refuse(call, 422, "invalid-field", "name", "A name has at most %d bytes.",
                    NAME_MAX_BYTES);
    else
        call_refuse(call, 422, "invalid-field", "roles",
                    "Roles are leader, coach, agent, integrator, operator; at least one.");
    return false;
}

void users_add(void *state, struct call *call)
{
    const Moment__V1__AddUserRequest *ask = (const void *)call_request(call);

    if (!is_profile(call, ask->name, ask->roles, ask->n_roles))
        return;
    struct user_job *job = job_new(state, call, ADD, ask->login);

    if (job != NULL)
        hash_and_submit(job, ask->password);
}

void users_edit(void *state, struct call *call)
{
    const Moment__V1__EditUserRequest *ask = (const void *)call_request(call);

    if (!is_profile(call, ask->name, ask->roles, ask->n_roles))
        return;
    struct user_job *job = job_new(state, call, EDIT, ask->login);

    if (job != NULL)
        submit(job);
}

void users_set_password(void *state, struct call *call)
{
    const Moment__V1__SetPasswordRequest *ask = (const void *)call_request(call);
    struct user_job *job = job_new(state, call, SET_PASSWORD, ask->login);

    if (job != NULL)
        hash_and_submit(job, ask->password);
}

void users_remove(void *state, struct call *call)
{
    const Moment__V1__RemoveUserRequest *ask = (const void *)call_request(call);
    struct user_job *job = job_new(state, call, REMOVE, ask->login);

    if (job != NULL)
        submit(job);
}

/* --- tokens -------------------------------------------------------------------------------- */

struct token_job {
    struct work work;
    struct reporting *reporting;
    struct call *call;
    struct id token_id;
    char token[SEAL_TOKEN_SIZE]; /* "" : this one is removed */
    uint8_t hash[SEAL_HASH_SIZE];
    bool exists;
};

static void on_token_exists(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error)
{
    struct token_job *job = arg;

    (void)error;
    job->exists = status == 0 && db_count(rows) > 0;
}

static void load_token(struct work *work, struct txn *txn)
{
    struct token_job *job = container_of(work, struct token_job, work);

    store_load_token(txn, &job->token_id, on_token_exists, job);
}

static int apply_token(struct work *work, struct txn *txn)
{
    struct token_job *job = container_of(work, struct token_job, work);
    const char *by = call_caller(job->call)->id;

    if (job->token[0] == '\0') {
        if (!job->exists)
            return -ENOENT;
        store_remove_token(txn, &job->token_id, by);
        return 0;
    }
    const Moment__V1__AddTokenRequest *ask = (const void *)call_request(job->call);
    int64_t life_us = (int64_t)ask->expires_days * DAY_US;
    struct token_row row = {
        .token_id = job->token_id,
        .name = ask->name,
        .by = by,
        .hash = job->hash,
        .roles = (const char *const *)ask->roles,
        .sites = (const char *const *)ask->sites,
        .teams = (const char *const *)ask->teams,
        .role_count = ask->n_roles,
        .site_count = ask->n_sites,
        .team_count = ask->n_teams,
        .expires_at = life_us > 0 ? txn_now_us(txn) + life_us : 0,
    };

    store_add_token(txn, &row);
    return 0;
}

static void answer_token(const struct token_job *job)
{
    char text[ID_TEXT_SIZE];

    if (job->token[0] == '\0') {
        Moment__V1__RemoveTokenResponse response;

        live_end_user(job->reporting, id_print(&job->token_id, text));
        moment__v1__remove_token_response__init(&response);
        call_reply(job->call, &response.base);
        return;
    }
    Moment__V1__AddTokenResponse response;

    moment__v1__add_token_response__init(&response);
    response.token = mutable_text(job->token);
    response.token_id = mutable_text(id_print(&job->token_id, text));
    call_reply(job->call, &response.base);
}

static void done_token(struct work *work, int status, const struct db_error *error)
{
    struct token_job *job = container_of(work, struct token_job, work);

    (void)error;
    if (status == 0)
        answer_token(job);
    else if (status == -ENOENT)
        call_refuse(job->call, 404, "not-found", "token_id", "There is no such token.");
    else
        fail_busy(job->call);
    explicit_bzero(job, sizeof(*job));
    free(job);
}

static const struct work_ops token_ops = {
    .load = load_token, .apply = apply_token, .done = done_token};

static void start_token(struct reporting *reporting, struct call *call, const struct id *token_id,
                        bool is_new)
{
    struct token_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        fail_busy(call);
        return;
    }
    job->work.ops = &token_ops;
    job->work.bytes = sizeof(*job);
    job->reporting = reporting;
    job->call = call;
    job->token_id = *token_id;
    if (is_new) {
        seal_token("mt", job->token);
        seal_sha256(job->token, strlen(job->token), job->hash);
    }
    if (stream_submit(service_stream(reporting->service), &job->work) < 0) {
        free(job);
        fail_busy(call);
    }
}

void tokens_add(void *state, struct call *call)
{
    const Moment__V1__AddTokenRequest *ask = (const void *)call_request(call);
    struct id token_id = id_v7();

    if (ask->name[0] == '\0' || strlen(ask->name) > 128)
        call_refuse(call, 422, "invalid-field", "name", "A name has 1 to 128 bytes.");
    else if (!are_roles(ask->roles, ask->n_roles))
        call_refuse(call, 422, "invalid-field", "roles",
                    "Roles are leader, coach, agent, integrator, operator; at least one.");
    else if (ask->expires_days > 3650)
        call_refuse(call, 422, "invalid-field", "expires_days", "At most 3650 days.");
    else
        start_token(state, call, &token_id, true);
}

void tokens_remove(void *state, struct call *call)
{
    const Moment__V1__RemoveTokenRequest *ask = (const void *)call_request(call);
    struct id token_id;

    if (id_parse(ask->token_id, &token_id) < 0)
        call_refuse(call, 422, "invalid-field", "token_id", "A token's id is a UUID.");
    else
        start_token(state, call, &token_id, false);
}

/* --- lists --------------------------------------------------------------------------------- */

static char *copy_text(const struct db_rows *rows, size_t row, size_t column)
{
    return strdup(db_get_text(rows, row, column));
}

static char *copy_id(const struct db_rows *rows, size_t row)
{
    char text[ID_TEXT_SIZE];
    struct id id;

    db_get_uuid(rows, row, 0, id.bytes);
    return strdup(id_print(&id, text));
}

static void copy_list(const struct db_rows *rows, size_t row, size_t column, size_t *ret_count,
                      char ***ret_texts)
{
    struct names_list list;

    access_read_list(db_get_text(rows, row, column), &list);
    *ret_count = list.count;
    *ret_texts = list.items;
}

static Moment__V1__UserInfo *read_user(const struct db_rows *rows, size_t row)
{
    Moment__V1__UserInfo *user = calloc(1, sizeof(*user));

    if (user == NULL)
        return NULL;
    moment__v1__user_info__init(user);
    user->user_id = copy_id(rows, row);
    user->login = copy_text(rows, row, 1);
    user->name = copy_text(rows, row, 2);
    copy_list(rows, row, 3, &user->n_roles, &user->roles);
    copy_list(rows, row, 4, &user->n_sites, &user->sites);
    copy_list(rows, row, 5, &user->n_teams, &user->teams);
    user->person_id = copy_text(rows, row, 6);
    user->created_at = db_get_time(rows, row, 7);
    user->last_login_at = db_get_time(rows, row, 8);
    user->disabled = db_get_bool(rows, row, 9);
    return user;
}

static Moment__V1__TokenInfo *read_token(const struct db_rows *rows, size_t row)
{
    Moment__V1__TokenInfo *token = calloc(1, sizeof(*token));

    if (token == NULL)
        return NULL;
    moment__v1__token_info__init(token);
    token->token_id = copy_id(rows, row);
    token->name = copy_text(rows, row, 1);
    copy_list(rows, row, 2, &token->n_roles, &token->roles);
    copy_list(rows, row, 3, &token->n_sites, &token->sites);
    copy_list(rows, row, 4, &token->n_teams, &token->teams);
    token->created_at = db_get_time(rows, row, 5);
    token->expires_at = db_get_time(rows, row, 6);
    token->last_used_at = db_get_time(rows, row, 7);
    return token;
}

static void on_users(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    Moment__V1__ListUsersResponse *response = calloc(1, sizeof(*response));

    (void)error;
    if (status < 0 || response == NULL) {
        free(response);
        fail_busy(arg);
        return;
    }
    moment__v1__list_users_response__init(response);
    response->users = calloc(db_count(rows) + 1, sizeof(Moment__V1__UserInfo *));
    for (size_t i = 0; response->users != NULL && i < db_count(rows); i++) {
        Moment__V1__UserInfo *user = read_user(rows, i);

        if (user != NULL)
            response->users[response->n_users++] = user;
    }
    call_reply(arg, &response->base);
    moment__v1__list_users_response__free_unpacked(response, NULL);
}

void users_list(void *state, struct call *call)
{
    struct reporting *reporting = state;

    if (store_list_accounts(service_reader(reporting->service), on_users, call) < 0)
        fail_busy(call);
}

/* --- colleagues ---------------------------------------------------------------------------- */

static Moment__V1__Colleague *read_colleague(const struct db_rows *rows, size_t row)
{
    Moment__V1__Colleague *colleague = calloc(1, sizeof(*colleague));

    if (colleague == NULL)
        return NULL;
    moment__v1__colleague__init(colleague);
    colleague->user_id = copy_id(rows, row);
    colleague->name = copy_text(rows, row, 2);
    copy_list(rows, row, 3, &colleague->n_roles, &colleague->roles);
    colleague->person_id = copy_text(rows, row, 6);
    return colleague;
}

static uint32_t role_bits(char *const *roles, size_t count)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < count; i++)
        bits |= role_parse(roles[i]);
    return bits;
}

static void on_colleagues(void *arg, int status, const struct db_rows *rows,
                          const struct db_error *error)
{
    const Moment__V1__ListColleaguesRequest *ask = (const void *)call_request(arg);
    uint32_t wanted =
        ask->n_roles > 0 ? role_bits(ask->roles, ask->n_roles) : ROLE_LEADER | ROLE_COACH;
    Moment__V1__ListColleaguesResponse *response = calloc(1, sizeof(*response));

    (void)error;
    if (response != NULL) {
        moment__v1__list_colleagues_response__init(response);
        response->colleagues =
            status < 0 ? NULL : calloc(db_count(rows) + 1, sizeof(Moment__V1__Colleague *));
    }
    if (response == NULL || response->colleagues == NULL) {
        free(response);
        fail_busy(arg);
        return;
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        bool is_removed = db_get_bool(rows, i, 9);
        Moment__V1__Colleague *one = is_removed ? NULL : read_colleague(rows, i);

        if (one != NULL && (role_bits(one->roles, one->n_roles) & wanted) != 0)
            response->colleagues[response->n_colleagues++] = one;
        else if (one != NULL)
            moment__v1__colleague__free_unpacked(one, NULL);
    }
    call_reply(arg, &response->base);
    moment__v1__list_colleagues_response__free_unpacked(response, NULL);
}

void colleagues_list(void *state, struct call *call)
{
    struct reporting *reporting = state;
    const Moment__V1__ListColleaguesRequest *ask = (const void *)call_request(call);

    if (ask->n_roles > 0 && !are_roles(ask->roles, ask->n_roles))
        call_refuse(call, 422, "invalid-field", "roles",
                    "Roles are leader, coach, agent, integrator, operator.");
    else if (store_list_accounts(service_reader(reporting->service), on_colleagues, call) < 0)
        fail_busy(call);
}

static void on_tokens(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    Moment__V1__ListTokensResponse *response = calloc(1, sizeof(*response));

    (void)error;
    if (status < 0 || response == NULL) {
        free(response);
        fail_busy(arg);
        return;
    }
    moment__v1__list_tokens_response__init(response);
    response->tokens = calloc(db_count(rows) + 1, sizeof(Moment__V1__TokenInfo *));
    for (size_t i = 0; response->tokens != NULL && i < db_count(rows); i++) {
        Moment__V1__TokenInfo *token = read_token(rows, i);

        if (token != NULL)
            response->tokens[response->n_tokens++] = token;
    }
    call_reply(arg, &response->base);
    moment__v1__list_tokens_response__free_unpacked(response, NULL);
}

void tokens_list(void *state, struct call *call)
{
    struct reporting *reporting = state;

    if (store_list_tokens(service_reader(reporting->service), on_tokens, call) < 0)
        fail_busy(call);
}
