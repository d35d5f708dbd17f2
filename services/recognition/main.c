/* moment-recognition - caught-right candidates, the wall, webhooks. */
#include "recognition/candidates.h"
#include "recognition/deliveries.h"
#include "recognition/wall.h"

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
    {"webhook_allow_private", CONF_BOOLEAN, "false", 0, 0, "",
     "Webhooks may lead to addresses inside the house: loopback, private, link-local.", false},
    {"webhook_ca_file", CONF_PATH, "", 0, 0, "",
     "Certificates (PEM) of who may vouch for receivers of webhooks; empty: the system's.", false},
    {"webhook_retries", CONF_INTEGER, "10", 0, 20, "",
     "A delivery that failed is tried again so often, 10 times within about a day.", true},
    {"webhook_first_retry_ms", CONF_INTEGER, "5000", 10, 3600000, "ms",
     "How long a delivery waits before its first retry; each later one waits 2.8 times as long.",
     true},
};

static struct metric *const metrics[] = {
    &recognition_candidates_total,
    &recognition_posts_total,
    &recognition_deliveries_total,
    &recognition_dead_letters,
};

#define EDITORS (ROLE_LEADER | ROLE_COACH)
#define HOUSE (EDITORS | ROLE_AGENT)
#define READERS (HOUSE | ROLE_INTEGRATOR | ROLE_SERVICE)
#define CONNECTORS (ROLE_LEADER | ROLE_INTEGRATOR)
#define TYPES(name)                                                                                \
    &moment__v1__##name##_request__descriptor, &moment__v1__##name##_response__descriptor

static const struct call_route calls[] = {
    /* Agents see their own. */
    {"recognition.ListCandidates", READERS, SCOPE_LIST, TYPES(list_candidates),
     recognition_list_candidates},
    {"recognition.DismissCandidate", EDITORS, SCOPE_THING, TYPES(dismiss_candidate),
     recognition_dismiss_candidate},
    /* The wall is everybody's. Who wrote a post, or is praised in it, is looked at by its rules. */
    {"recognition.WritePost", EDITORS, SCOPE_EVERYBODY, TYPES(write_post), wall_write_post},
    {"recognition.TellStory", ROLE_AGENT, SCOPE_EVERYBODY, TYPES(tell_story), wall_tell_story},
    {"recognition.React", HOUSE, SCOPE_EVERYBODY, TYPES(react), wall_react},
    {"recognition.Comment", HOUSE, SCOPE_EVERYBODY, TYPES(comment), wall_comment},
    {"recognition.WithdrawComment", HOUSE, SCOPE_EVERYBODY, TYPES(withdraw_comment),
     wall_withdraw_comment},
    {"recognition.WithdrawPost", HOUSE, SCOPE_EVERYBODY, TYPES(withdraw_post), wall_withdraw_post},
    {"recognition.PinPost", ROLE_LEADER, SCOPE_EVERYBODY, TYPES(pin_post), wall_pin_post},
    {"recognition.GetPost", READERS, SCOPE_EVERYBODY, TYPES(get_post), wall_get_post},
    {"recognition.ListPosts", READERS, SCOPE_EVERYBODY, TYPES(list_posts), wall_list_posts},
    {"recognition.ListStoryRequests", ROLE_AGENT, SCOPE_SELF, TYPES(list_story_requests),
     wall_list_story_requests},
    {"recognition.AddWebhook", CONNECTORS, SCOPE_WHOLE, TYPES(add_webhook), webhooks_add},
    {"recognition.RemoveWebhook", CONNECTORS, SCOPE_WHOLE, TYPES(remove_webhook), webhooks_remove},
    {"recognition.EnableWebhook", CONNECTORS, SCOPE_WHOLE, TYPES(enable_webhook), webhooks_enable},
    {"recognition.ListWebhooks", CONNECTORS, SCOPE_WHOLE, TYPES(list_webhooks), webhooks_list},
    {"recognition.ListDeadLetters", CONNECTORS, SCOPE_WHOLE, TYPES(list_dead_letters),
     webhooks_list_dead_letters},
    {"recognition.ReplayWebhook", CONNECTORS, SCOPE_WHOLE, TYPES(replay_webhook), webhooks_replay},
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
    .drain = recognition_drain,
    .stop = recognition_stop,
};

int main(int argc, char **argv)
{
    return service_main(&spec, argc, argv);
}
