#include "reporting/access.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/seal.h"
#include "reporting/rules/origin.h"
#include "reporting/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEARER "Bearer "
#define BASIC "Basic "
/* Of a secret, and of a user's name before it. */
#define SECRET_SIZE ((size_t)2 * SEAL_TOKEN_SIZE)
#define BASIC_SIZE (SECRET_SIZE + 256)
/* Writing down each use would cost more than the requests do. */
#define TOUCH_EVERY_US (60 * US_PER_S)

/* --- the viewer ---------------------------------------------------------------------------- */

void access_free_list(struct names_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct names_list){0};
}

void access_read_list(const char *text, struct names_list *ret_list)
{
    json_t *json = NULL;
    json_t *value;
    size_t i;

    *ret_list = (struct names_list){0};
    if (json_parse(slice_of(text), &json, NULL) < 0)
        return;
    ret_list->items = calloc(json_array_size(json) + 1, sizeof(*ret_list->items));
    json_array_foreach(json, i, value)
    {
        char *copy = ret_list->items != NULL && json_is_string(value)
                         ? strdup(json_string_value(value))
                         : NULL;

        if (copy != NULL)
            ret_list->items[ret_list->count++] = copy;
    }
    json_decref(json);
}

void viewer_free(struct viewer **viewer)
{
    struct viewer *gone = *viewer;

    if (gone == NULL)
        return;
    access_free_list(&gone->reader.sites);
    access_free_list(&gone->reader.teams);
    access_free_list(&gone->reader.team_sites);
    free(gone->login);
    free(gone->name);
    free(gone->person_id);
    free(gone);
    *viewer = NULL;
}

struct caller viewer_caller(const struct viewer *viewer)
{
    const struct reader *reader = &viewer->reader;

    return (struct caller){
        .id = viewer->user_id,
        .name = viewer->name,
        .roles = viewer->roles,
        .sites = (const char *const *)reader->sites.items,
        .site_count = reader->sites.count,
        .teams = (const char *const *)reader->teams.items,
        .team_count = reader->teams.count,
        .person_id = viewer->person_id,
    };
}

static uint32_t read_roles(const char *json_text)
{
    struct names_list names;
    uint32_t roles = 0;

    access_read_list(json_text, &names);
    for (size_t i = 0; i < names.count; i++)
        roles |= role_parse(names.items[i]);
    access_free_list(&names);
    /* Nobody from outside is a service, whatever the table says. */
    return roles & ROLES_ANY;
}

static enum reader_reach reach_of(uint32_t roles)
{
    if (roles & ROLES_SCOPED)
        return REACH_SCOPE;
    return roles & ROLE_AGENT ? REACH_OWN : REACH_NOTHING;
}

/* A list that could not be read must not become "every site". */
static bool is_whole(const char *json_text, const struct names_list *list)
{
    return list->count > 0 || strcmp(json_text, "[]") == 0;
}

static struct viewer *read_viewer(const struct db_rows *rows)
{
    struct viewer *viewer = calloc(1, sizeof(*viewer));
    struct id user_id;
    char text[ID_TEXT_SIZE];

    if (viewer == NULL)
        return NULL;
    db_get_uuid(rows, 0, 0, user_id.bytes);
    text_copy(viewer->user_id, sizeof(viewer->user_id), id_print(&user_id, text));
    viewer->login = strdup(db_get_text(rows, 0, 1));
    viewer->name = strdup(db_get_text(rows, 0, 2));
    viewer->person_id = strdup(db_get_text(rows, 0, 7));
    viewer->roles = read_roles(db_get_text(rows, 0, 3));
    viewer->reader.reach = reach_of(viewer->roles);
    viewer->reader.is_leader = (viewer->roles & ROLE_LEADER) != 0;
    viewer->reader.is_coach = (viewer->roles & ROLE_COACH) != 0;
    viewer->reader.user_id = viewer->user_id;
    viewer->reader.person_id = viewer->person_id;
    access_read_list(db_get_text(rows, 0, 4), &viewer->reader.sites);
    access_read_list(db_get_text(rows, 0, 5), &viewer->reader.teams);
    access_read_list(db_get_text(rows, 0, 6), &viewer->reader.team_sites);
    viewer->expires_at = db_get_time(rows, 0, 8);
    if (viewer->login == NULL || viewer->name == NULL || viewer->person_id == NULL ||
        !is_whole(db_get_text(rows, 0, 4), &viewer->reader.sites) ||
        !is_whole(db_get_text(rows, 0, 5), &viewer->reader.teams))
        viewer_free(&viewer);
    return viewer;
}

/* --- touching ------------------------------------------------------------------------------ */

struct touch {
    struct work work;
    uint8_t hash[ACCESS_HASH_SIZE];
    bool is_token;
};

static int apply_touch(struct work *work, struct txn *txn)
{
    struct touch *touch = container_of(work, struct touch, work);

    if (touch->is_token)
        store_touch_token(txn, touch->hash);
    else
        store_touch_session(txn, touch->hash);
    return 0;
}

static void done_touch(struct work *work, int status, const struct db_error *error)
{
    (void)status;
    (void)error;
    free(container_of(work, struct touch, work));
}

static const struct work_ops touch_ops = {.apply = apply_touch, .done = done_touch};

/* Best effort: a session that could not be touched only ends sooner. */
static void touch_if_old(struct reporting *reporting, const struct viewer *viewer, int64_t seen_at)
{
    if (clock_wall_us() - seen_at < TOUCH_EVERY_US)
        return;
    struct touch *touch = calloc(1, sizeof(*touch));

    if (touch == NULL)
        return;
    touch->work.ops = &touch_ops;
    touch->work.bytes = sizeof(*touch);
    touch->is_token = viewer->is_token;
    memcpy(touch->hash, viewer->hash, sizeof(touch->hash));
    if (stream_submit(service_stream(reporting->service), &touch->work) < 0)
        free(touch);
}

/* --- the check ----------------------------------------------------------------------------- */

struct knock {
    struct reporting *reporting;
    struct http_request *request;
    uint32_t roles;
    access_fn *go;
    bool is_token;
    bool takes_basic;
    uint8_t hash[ACCESS_HASH_SIZE];
};

void access_unavailable(struct http_request *request)
{
    http_add_header(request, "Retry-After", "1");
    http_problem(request, 503, "unavailable", NULL, "The database does not answer; try again.");
}

static void refuse_stranger(struct http_request *request, bool takes_basic)
{
    http_add_header(request, "WWW-Authenticate", "Bearer realm=\"moment\"");
    if (takes_basic)
        http_add_header(request, "WWW-Authenticate", "Basic realm=\"moment\", charset=\"UTF-8\"");
    http_problem(request, 401, "unauthenticated", NULL,
                 "Sign in, or send a valid API token as Authorization: Bearer.");
}

static void admit(const struct knock *knock, const struct db_rows *rows)
{
    if (db_count(rows) == 0) {
        refuse_stranger(knock->request, knock->takes_basic);
        return;
    }
    struct viewer *viewer = read_viewer(rows);

    if (viewer == NULL) {
        access_unavailable(knock->request);
        return;
    }
    viewer->is_token = knock->is_token;
    memcpy(viewer->hash, knock->hash, sizeof(viewer->hash));
    touch_if_old(knock->reporting, viewer, db_get_time(rows, 0, 9));
    if ((viewer->roles & knock->roles) == 0) {
        viewer_free(&viewer);
        http_problem(knock->request, 403, "forbidden", NULL, "Your roles do not allow this.");
        return;
    }
    knock->go(knock->reporting, knock->request, viewer);
}

static void on_known(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error)
{
    struct knock *knock = arg;

    if (status < 0) {
        log_warn("access_failed", "error=%d sqlstate=%s", status,
                 error != NULL ? error->sqlstate : "-");
        access_unavailable(knock->request);
    } else {
        admit(knock, rows);
    }
    free(knock);
}

bool access_is_same_site(struct http_request *request)
{
    if (origin_is_ours(http_header(request, "Origin"), http_header(request, "Sec-Fetch-Site"),
                       http_header(request, "Host")))
        return true;
    http_problem(request, 403, "cross-site", NULL, "Another site asked for this write.");
    return false;
}

const char *access_cookie_name(const struct reporting *reporting)
{
    /* Browsers take a __Host- cookie only with Secure. */
    return conf_boolean(service_conf(reporting->service), "cookie_insecure") ? "moment"
                                                                             : "__Host-moment";
}

/* "name:password", of which the password counts. */
static const char *password_of(const char *encoded, char to[BASIC_SIZE])
{
    size_t len = 0;

    if (seal_unbase64(slice_of(encoded), to, BASIC_SIZE - 1, &len) < 0)
        return "";
    to[len] = '\0';
    const char *colon = strchr(to, ':');

    return colon != NULL ? colon + 1 : "";
}

/* The secret that the request carries, maybe in space; false if none. */
static bool find_secret(const struct reporting *reporting, const struct http_request *request,
                        bool takes_basic, char space[BASIC_SIZE], const char **ret_secret,
                        bool *ret_is_token)
{
    const char *header = http_header(request, "Authorization");

    *ret_is_token = true;
    if (strncmp(header, BEARER, strlen(BEARER)) == 0) {
        *ret_secret = header + strlen(BEARER);
    } else if (takes_basic && strncmp(header, BASIC, strlen(BASIC)) == 0) {
        *ret_secret = password_of(header + strlen(BASIC), space);
    } else {
        *ret_secret = http_cookie(request, access_cookie_name(reporting));
        *ret_is_token = false;
    }
    return (*ret_secret)[0] != '\0' && strlen(*ret_secret) < SECRET_SIZE;
}

static bool is_write(const struct http_request *request)
{
    const char *method = http_method(request);

    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

static void look_up(struct reporting *reporting, const struct knock *asked, const char *secret)
{
    struct knock *knock = malloc(sizeof(*knock));
    struct db *db = service_reader(reporting->service);
    int64_t now = clock_wall_us();
    int64_t idle_us = conf_integer(service_conf(reporting->service), "session_idle_s") * US_PER_S;

    if (knock == NULL) {
        access_unavailable(asked->request);
        return;
    }
    *knock = *asked;
    seal_sha256(secret, strlen(secret), knock->hash);
    int rc = knock->is_token ? store_find_token(db, knock->hash, now, on_known, knock)
                             : store_find_session(db, knock->hash, now, idle_us, on_known, knock);

    if (rc < 0) {
        free(knock);
        access_unavailable(asked->request);
    }
}

static void check(struct knock *knock)
{
    const char *secret;
    char space[BASIC_SIZE];

    if (!find_secret(knock->reporting, knock->request, knock->takes_basic, space, &secret,
                     &knock->is_token))
        refuse_stranger(knock->request, knock->takes_basic);
    /* A token is no cookie: no other site can make a browser send it. */
    else if (knock->is_token || !is_write(knock->request) || access_is_same_site(knock->request))
        look_up(knock->reporting, knock, secret);
    explicit_bzero(space, sizeof(space));
}

void access_check(struct reporting *reporting, struct http_request *request, uint32_t roles,
                  access_fn *go)
{
    struct knock knock = {.reporting = reporting, .request = request, .roles = roles, .go = go};

    check(&knock);
}

void access_check_reader(struct reporting *reporting, struct http_request *request, uint32_t roles,
                         access_fn *go)
{
    struct knock knock = {
        .reporting = reporting, .request = request, .roles = roles, .go = go, .takes_basic = true};

    check(&knock);
}
