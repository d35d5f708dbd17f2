#include "reporting/edge_session.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/seal.h"
#include "reporting/access.h"
#include "reporting/edge_live.h"
#include "reporting/query.h"
#include "reporting/store.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASHING_MAX 64 /* they wait for the one worker, about 25 ms each */
#define LOGIN_SIZE 130
#define PASSWORD_SIZE 514

/* One attempt, from the request to the cookie. */
struct login {
    struct work work; /* adds the session */
    struct reporting *reporting;
    struct http_request *request;
    char login[LOGIN_SIZE];
    char password[PASSWORD_SIZE];
    char hash[SEAL_PASSWORD_SIZE]; /* "" : no such account */
    struct id user_id;
    bool is_right;
    char token[SEAL_TOKEN_SIZE];
    uint8_t token_hash[ACCESS_HASH_SIZE];
    int64_t expires_at;
};

static void login_free(struct login *login)
{
    explicit_bzero(login, sizeof(*login));
    free(login);
}

static void set_cookie(const struct reporting *reporting, struct http_request *request,
                       const char *value, int64_t max_age_s)
{
    char text[256];
    bool is_insecure = conf_boolean(service_conf(reporting->service), "cookie_insecure");

    (void)snprintf(text, sizeof(text), "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                   access_cookie_name(reporting), value, (long long)max_age_s,
                   is_insecure ? "" : "; Secure");
    http_add_header(request, "Set-Cookie", text);
}

/* Nobody knows whether the password was right: that is no failure of whoever sent it. */
static void login_unavailable(struct login *login)
{
    throttle_take_back(&login->reporting->by_login, login->login);
    throttle_take_back(&login->reporting->by_remote, http_remote(login->request));
    access_unavailable(login->request);
    login_free(login);
}

/* --- step 4: the session is durable -------------------------------------------------------- */

static int apply_login(struct work *work, struct txn *txn)
{
    struct login *login = container_of(work, struct login, work);

    store_add_session(txn, login->token_hash, &login->user_id, login->expires_at);
    return 0;
}

static void done_login(struct work *work, int status, const struct db_error *error)
{
    struct login *login = container_of(work, struct login, work);

    (void)error;
    if (status < 0) {
        access_unavailable(login->request);
    } else {
        int64_t age_s = (login->expires_at - clock_wall_us()) / US_PER_S;

        metric_add(&metric_logins, "ok", 1);
        set_cookie(login->reporting, login->request, login->token, age_s);
        http_add_header(login->request, "Cache-Control", "no-store");
        http_reply(login->request, 204, NULL, NULL, 0);
    }
    login_free(login);
}

static const struct work_ops login_ops = {.apply = apply_login, .done = done_login};

/* --- step 3: the password was right or wrong ----------------------------------------------- */

static void refuse(struct login *login)
{
    char quoted[LOGIN_SIZE * 2];

    metric_add(&metric_logins, "refused", 1);
    log_info("login_refused", "login=%s remote=%s", log_quote(login->login, quoted, sizeof(quoted)),
             http_remote(login->request));
    http_problem(login->request, 401, "wrong-credentials", NULL, "Login or password is not right.");
    login_free(login);
}

static void open_session(struct login *login)
{
    const struct conf *conf = service_conf(login->reporting->service);

    throttle_forgive(&login->reporting->by_login, login->login);
    throttle_take_back(&login->reporting->by_remote, http_remote(login->request));
    seal_token("ms", login->token);
    seal_sha256(login->token, strlen(login->token), login->token_hash);
    login->expires_at = clock_wall_us() + conf_integer(conf, "session_max_s") * US_PER_S;
    login->work.ops = &login_ops;
    login->work.bytes = sizeof(*login);
    if (stream_submit(service_stream(login->reporting->service), &login->work) < 0) {
        access_unavailable(login->request);
        login_free(login);
    }
}

/* On a worker thread. Somebody unknown costs the same time as somebody known. */
static void verify(void *arg)
{
    struct login *login = arg;
    char wasted[SEAL_PASSWORD_SIZE];

    if (login->hash[0] != '\0')
        login->is_right = seal_password_verify(login->hash, login->password);
    else if (seal_password_hash(login->password, wasted) < 0)
        login->is_right = false;
}

static void on_verified(void *arg)
{
    struct login *login = arg;

    login->reporting->hashing--;
    if (login->is_right)
        open_session(login);
    else
        refuse(login);
}

/* --- step 2: the account was looked up ----------------------------------------------------- */

static void on_account(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct login *login = arg;

    (void)error;
    if (status == 0 && db_count(rows) == 1) {
        db_get_uuid(rows, 0, 0, login->user_id.bytes);
        text_copy(login->hash, sizeof(login->hash), db_get_text(rows, 0, 1));
    }
    if (status == 0)
        status = loop_work(service_loop(login->reporting->service), verify, on_verified, login);
    if (status < 0) {
        login->reporting->hashing--;
        login_unavailable(login);
    }
}

/* --- step 1: the request ------------------------------------------------------------------- */

static bool is_throttled(struct reporting *reporting, struct http_request *request,
                         const char *login)
{
    int64_t now = clock_mono_us();
    int64_t by_login = throttle_wait_us(&reporting->by_login, login, now);
    int64_t by_remote = throttle_wait_us(&reporting->by_remote, http_remote(request), now);
    int64_t wait_us = by_login > by_remote ? by_login : by_remote;
    char seconds[24];

    if (wait_us == 0 && reporting->hashing < HASHING_MAX)
        return false;
    metric_add(&metric_logins, "throttled", 1);
    (void)snprintf(seconds, sizeof(seconds), "%" PRId64, wait_us / US_PER_S + 1);
    http_add_header(request, "Retry-After", seconds);
    http_problem(request, 429, "too-many", NULL, "Too many attempts; try again in %s s.", seconds);
    return true;
}

static bool take_text(struct http_request *request, const json_t *json, const char *name, char *to,
                      size_t size)
{
    const char *text = json_string_value(json_object_get(json, name));

    if (text != NULL && text[0] != '\0' && strlen(text) < size) {
        text_copy(to, size, text);
        return true;
    }
    http_problem(request, 400, "invalid-field", name, "%s must be a text of 1 to %zu bytes.", name,
                 size - 1);
    return false;
}

static bool read_credentials(struct http_request *request, struct login *login)
{
    struct json_error error;
    json_t *json = NULL;

    if (json_parse(http_body(request), &json, &error) < 0 || !json_is_object(json)) {
        json_decref(json);
        http_problem(request, 400, "invalid-json", NULL, "The body is not a JSON object.");
        return false;
    }
    bool is_read = take_text(request, json, "login", login->login, sizeof(login->login)) &&
                   take_text(request, json, "password", login->password, sizeof(login->password));

    json_decref(json);
    /* Logins are the same in any case; so are the failures of one. */
    for (char *c = login->login; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return is_read;
}

void session_create(void *state, struct http_request *request)
{
    struct reporting *reporting = state;

    if (!access_is_same_site(request) || !query_is_json(request))
        return;
    struct login *login = calloc(1, sizeof(*login));

    if (login == NULL) {
        access_unavailable(request);
        return;
    }
    login->reporting = reporting;
    login->request = request;
    if (!read_credentials(request, login) || is_throttled(reporting, request, login->login)) {
        login_free(login);
        return;
    }
    reporting->hashing++;
    throttle_fail(&reporting->by_login, login->login, clock_mono_us());
    throttle_fail(&reporting->by_remote, http_remote(request), clock_mono_us());
    if (store_find_account(service_reader(reporting->service), login->login, on_account, login) <
        0) {
        reporting->hashing--;
        login_unavailable(login);
    }
}

/* --- who am I ------------------------------------------------------------------------------ */

static json_t *list_json(const struct names_list *list)
{
    json_t *json = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(json, json_string(list->items[i]));
    return json;
}

static json_t *roles_json(uint32_t roles)
{
    json_t *json = json_array();

    for (uint32_t bit = 1; bit != 0 && bit <= roles; bit <<= 1) {
        if (roles & bit)
            json_array_append_new(json, json_string(role_name((enum role)bit)));
    }
    return json;
}

static void show(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    (void)reporting;
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "user_id", viewer->user_id, "login", viewer->login,
        "name", viewer->name, "roles", roles_json(viewer->roles), "sites",
        list_json(&viewer->reader.sites), "teams", list_json(&viewer->reader.teams), "person_id",
        json_text_or_null(viewer->person_id), "expires_at", json_time(viewer->expires_at));

    viewer_free(&viewer);
    query_reply(request, json);
}

void session_show(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_ANY, show);
}

/* --- signing out --------------------------------------------------------------------------- */

struct logout {
    struct work work;
    struct reporting *reporting;
    struct http_request *request;
    uint8_t hash[ACCESS_HASH_SIZE];
};

static int apply_logout(struct work *work, struct txn *txn)
{
    store_end_session(txn, container_of(work, struct logout, work)->hash);
    return 0;
}

static void done_logout(struct work *work, int status, const struct db_error *error)
{
    struct logout *logout = container_of(work, struct logout, work);

    (void)error;
    if (status < 0) {
        access_unavailable(logout->request);
    } else {
        live_end_session(logout->reporting, logout->hash);
        set_cookie(logout->reporting, logout->request, "", 0);
        http_reply(logout->request, 204, NULL, NULL, 0);
    }
    free(logout);
}

static const struct work_ops logout_ops = {.apply = apply_logout, .done = done_logout};

static void end(struct reporting *reporting, struct http_request *request, struct viewer *viewer)
{
    struct logout *logout = calloc(1, sizeof(*logout));

    if (logout != NULL) {
        logout->work.ops = &logout_ops;
        logout->work.bytes = sizeof(*logout);
        logout->reporting = reporting;
        logout->request = request;
        memcpy(logout->hash, viewer->hash, sizeof(logout->hash));
    }
    viewer_free(&viewer);
    if (logout == NULL || stream_submit(service_stream(reporting->service), &logout->work) < 0) {
        free(logout);
        access_unavailable(request);
    }
}

void session_end(void *state, struct http_request *request)
{
    access_check(state, request, ROLES_ANY, end);
}
