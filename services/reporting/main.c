/* moment-reporting - the edge for people: login, HTTP API, web page, live updates, figures. */
#include "moment/v1/reporting.pb-c.h"
#include "reporting/edge_flame.h"
#include "reporting/edge_users.h"
#include "reporting/reporting.h"
#include "reporting/routes.h"

#include <string.h>

static const struct conf_row settings[] = {
    {"web_root", CONF_TEXT, "", 0, 0, "",
     "Folder of the built web page; empty: web, beside the folder of the program.", false},
    {"cookie_insecure", CONF_BOOLEAN, "false", 0, 0, "",
     "Session cookie without Secure, for plain HTTP on another address than this machine's own.",
     true},
    {"session_idle_s", CONF_INTEGER, "43200", 60, 2592000, "s",
     "A session ends after this long without a request.", true},
    {"session_max_s", CONF_INTEGER, "604800", 60, 2592000, "s",
     "A session ends this long after signing in.", true},
    {"live_streams_per_user", CONF_INTEGER, "8", 1, 1000, "",
     "Live streams that one user or token may have open.", true},
    {"service_level", CONF_TEXT, "abandons_ignored", 0, 0, "",
     "Definition of the service level on the floor: abandons_count_for, abandons_count_against, "
     "abandons_ignored, answered_only, switchable.",
     true},
    {"service_level_threshold_s", CONF_INTEGER, "20", 1, 86400, "s",
     "Answered within this time is in time, where a report does not say otherwise.", true},
    {"short_abandon_s", CONF_INTEGER, "5", 0, 3600, "s",
     "An abandon before this time is a short one, where a report does not say otherwise.", true},
    {"flame_line_percent", CONF_INTEGER, "60", 1, 100, "%",
     "A leader whose moving average of kept promises falls below this is told first.", true},
    {"without_feedback_days", CONF_INTEGER, "7", 1, 365, "d",
     "Somebody who had moments and no note for this long is listed.", true},
};

static struct metric *const metrics[] = {
    &metric_logins,
    &metric_live_streams,
    &metric_live_resets,
};

#define CALL(name, handler, ask, answer)                                                           \
    {                                                                                              \
        "reporting." name, ROLE_OPERATOR, SCOPE_WHOLE, &moment__v1__##ask##__descriptor,           \
            &moment__v1__##answer##__descriptor, handler                                           \
    }

static const struct call_route calls[] = {
    CALL("AddUser", users_add, add_user_request, add_user_response),
    CALL("ListUsers", users_list, list_users_request, list_users_response),
    CALL("EditUser", users_edit, edit_user_request, edit_user_response),
    CALL("SetPassword", users_set_password, set_password_request, set_password_response),
    CALL("RemoveUser", users_remove, remove_user_request, remove_user_response),
    CALL("AddToken", tokens_add, add_token_request, add_token_response),
    CALL("ListTokens", tokens_list, list_tokens_request, list_tokens_response),
    CALL("RemoveToken", tokens_remove, remove_token_request, remove_token_response),
    {"reporting.ListColleagues", ROLE_LEADER | ROLE_COACH, SCOPE_EVERYBODY,
     &moment__v1__list_colleagues_request__descriptor,
     &moment__v1__list_colleagues_response__descriptor, colleagues_list},
    /* That promises are kept is for the whole house to see. */
    {"reporting.GetFlame", ROLE_LEADER | ROLE_COACH | ROLE_AGENT, SCOPE_EVERYBODY,
     &moment__v1__get_flame_request__descriptor, &moment__v1__get_flame_response__descriptor,
     flame_get},
    {"reporting.ListActs", ROLE_LEADER | ROLE_COACH | ROLE_AGENT, SCOPE_EVERYBODY,
     &moment__v1__list_acts_request__descriptor, &moment__v1__list_acts_response__descriptor,
     flame_list_acts},
    {"reporting.GetAccountability", ROLE_LEADER | ROLE_COACH, SCOPE_LIST,
     &moment__v1__get_accountability_request__descriptor,
     &moment__v1__get_accountability_response__descriptor, accountability_get},
};

static const char *const consumes[] = {"ingest", "feedback", "recognition", NULL};

int main(int argc, char **argv)
{
    const struct service_spec spec = {
        .name = "reporting",
        .settings = settings,
        .setting_count = countof(settings),
        .metrics = metrics,
        .metric_count = countof(metrics),
        .calls = calls,
        .call_count = countof(calls),
        .routes = reporting_routes,
        .route_count = reporting_route_count,
        .consumes = consumes,
        .start = reporting_start,
        .load = reporting_load,
        .apply = reporting_apply,
        .forget = reporting_forget,
        .stop = reporting_stop,
    };

    if (argc == 2 && strcmp(argv[1], "--print-routes") == 0)
        return routes_print() < 0;
    return service_main(&spec, argc, argv);
}
