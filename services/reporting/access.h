/* access - who asks? Session cookies and bearer tokens become a viewer, or the answer is 401/403.
 *
 * Every route of the API but signing in goes through access_check. The viewer belongs to the
 * function that it is given to: viewer_free. */
#ifndef MOMENT_REPORTING_ACCESS_H
#define MOMENT_REPORTING_ACCESS_H

#include "reporting/reporting.h"
#include "reporting/rules/visibility.h"

#define ACCESS_HASH_SIZE 32
#define ROLES_ANY (ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR | ROLE_OPERATOR)
/* Operators run the machines and see no customers. */
#define ROLES_CONTENT (ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR)
/* What is about no one person in particular. */
#define ROLES_SCOPED (ROLE_LEADER | ROLE_COACH | ROLE_INTEGRATOR)

struct viewer {
    char user_id[64];
    char *login; /* owned, as all texts here */
    char *name;
    char *person_id; /* "" if none */
    uint32_t roles;
    struct reader reader; /* what they see */
    int64_t expires_at;   /* 0: never */
    bool is_token;
    uint8_t hash[ACCESS_HASH_SIZE]; /* of the session or token */
};

void viewer_free(struct viewer **viewer);
/* As the owners of facts are told; borrows from viewer. */
struct caller viewer_caller(const struct viewer *viewer);

typedef void access_fn(struct reporting *reporting, struct http_request *request,
                       struct viewer *viewer);
/* Calls go when the request comes from somebody with one of roles; answers otherwise. For methods
 * that write, the request must come from our own page or from a machine. */
void access_check(struct reporting *reporting, struct http_request *request, uint32_t roles,
                  access_fn *go);
/* The same for a GET, where a token may also come as the password of HTTP Basic: programs that read
 * feeds know nothing else. */
void access_check_reader(struct reporting *reporting, struct http_request *request, uint32_t roles,
                         access_fn *go);
/* False, and answered, when another site asks. */
bool access_is_same_site(struct http_request *request);

/* A JSON array of strings. */
void access_read_list(const char *json_text, struct names_list *ret_list);
void access_free_list(struct names_list *list);
/* The name of the session cookie; with the setting cookie_insecure it works without TLS. */
const char *access_cookie_name(const struct reporting *reporting);

/* The database did not answer: 503. */
void access_unavailable(struct http_request *request);

#endif
