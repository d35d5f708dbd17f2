/* moment-recognition - caught-right candidates. */
#include "recognition/recognition.h"

static const struct conf_row settings[] = {
    {"hard_wait_ms", CONF_INTEGER, "30000", 0, 86400000, "ms",
     "A moment was hard for the customer after a wait as long as this.", true},
    {"hard_hold_ms", CONF_INTEGER, "60000", 0, 86400000, "ms",
     "A moment was hard for the customer after as long on hold.", true},
    {"hard_transfers", CONF_INTEGER, "1", 0, 100, "",
     "A moment was hard after so many transfers; 0: never for that.", true},
    {"hard_repeat_contacts", CONF_INTEGER, "2", 0, 100, "",
     "A moment was hard after so many earlier contacts within days; 0: never for that.", true},
    {"top_survey", CONF_INTEGER, "5", 1, 100, "",
     "An answer to a satisfaction survey is a top answer from here on.", true},
    {"low_survey", CONF_INTEGER, "2", 0, 100, "",
     "A customer who answers this or less was displeased: no praise for that moment.", true},
};

static struct metric *const metrics[] = {&recognition_candidates_total};

static const struct call_route calls[] = {
    /* Agents see their own. */
    {"recognition.ListCandidates",
     ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR | ROLE_SERVICE, SCOPE_LIST,
     &moment__v1__list_candidates_request__descriptor,
     &moment__v1__list_candidates_response__descriptor, recognition_list_candidates},
};

static const char *const consumes[] = {"ingest", "feedback", NULL};

static const struct service_spec spec = {
    .name = "recognition",
    .settings = settings,
    .setting_count = countof(settings),
    .metrics = metrics,
    .metric_count = countof(metrics),
    .calls = calls,
    .call_count = countof(calls),
    .consumes = consumes,
    .start = recognition_start,
    .load = recognition_load,
    .apply = recognition_apply,
    .forget = recognition_forget,
    .reload = recognition_reload,
    .stop = recognition_stop,
};

int main(int argc, char **argv)
{
    return service_main(&spec, argc, argv);
}
