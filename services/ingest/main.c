/* moment-ingest - the edge for machines: sources, moments, the directory, customers' identities. */
#include "ingest/counters.h"
#include "ingest/edge_directory.h"
#include "ingest/edge_events.h"
#include "ingest/edge_moments.h"
#include "ingest/edge_native.h"
#include "ingest/edge_sources.h"
#include "ingest/ingest.h"

static const struct conf_row settings[] = {
    {.name = "lost_track_s",
     .type = CONF_INTEGER,
     .fallback = "14400",
     .min = 0,
     .max = 604800,
     .unit = "s",
     .help =
         "A moment of which nothing more is heard for so long is closed as lost-track; 0 never.",
     .reloads = true},
    {.name = "repeat_window_h",
     .type = CONF_INTEGER,
     .fallback = "168",
     .min = 1,
     .max = 8760,
     .unit = "h",
     .help = "Contacts of a customer within so long before a moment count as repeat contacts.",
     .reloads = true},
    {.name = "events_per_s",
     .type = CONF_INTEGER,
     .fallback = "20000",
     .min = 0,
     .max = 1000000,
     .unit = "1/s",
     .help = "Events that one source may send over HTTP in the long run; 0 without limit.",
     .reloads = true},
    {.name = "events_burst",
     .type = CONF_INTEGER,
     .fallback = "40000",
     .min = 1,
     .max = 1000000,
     .unit = "",
     .help = "Events that one source may send over HTTP at once.",
     .reloads = true},
    {.name = "cache_bytes",
     .type = CONF_INTEGER,
     .fallback = "8388608",
     .min = 65536,
     .max = 8589934592,
     .unit = "bytes",
     .help = "Memory for the events of moments lately touched."},
    {.name = "redact_patterns",
     .type = CONF_TEXT,
     .fallback = "",
     .help = "National ids to take out of free text: extended regular expressions, ;; between."},
};

static const struct call_route calls[] = {
    {"ingest.AddSource", ROLE_OPERATOR, SCOPE_WHOLE, &moment__v1__add_source_request__descriptor,
     &moment__v1__add_source_response__descriptor, edge_sources_add},
    {"ingest.ListSources", ROLE_OPERATOR | ROLE_INTEGRATOR, SCOPE_LIST,
     &moment__v1__list_sources_request__descriptor, &moment__v1__list_sources_response__descriptor,
     edge_sources_list},
    {"ingest.RemoveSource", ROLE_OPERATOR, SCOPE_WHOLE,
     &moment__v1__remove_source_request__descriptor,
     &moment__v1__remove_source_response__descriptor, edge_sources_remove},
    {"ingest.RotateSource", ROLE_OPERATOR, SCOPE_WHOLE,
     &moment__v1__rotate_source_request__descriptor,
     &moment__v1__rotate_source_response__descriptor, edge_sources_rotate},
    {"ingest.ImportDirectory", ROLE_OPERATOR, SCOPE_WHOLE,
     &moment__v1__import_directory_request__descriptor,
     &moment__v1__import_directory_response__descriptor, edge_directory_import},
    {"ingest.ListDirectory",
     ROLE_OPERATOR | ROLE_INTEGRATOR | ROLE_LEADER | ROLE_COACH | ROLE_SERVICE, SCOPE_EVERYBODY,
     &moment__v1__list_directory_request__descriptor,
     &moment__v1__list_directory_response__descriptor, edge_directory_list},
    {"ingest.GetMomentEvents",
     ROLE_LEADER | ROLE_COACH | ROLE_AGENT | ROLE_INTEGRATOR | ROLE_SERVICE, SCOPE_THING,
     &moment__v1__get_moment_events_request__descriptor,
     &moment__v1__get_moment_events_response__descriptor, edge_moments_events},
};

static const struct http_route routes[] = {
    {"POST", "/v1/events", EDGE_EVENTS_BODY_MAX, edge_events_post, NULL},
    {"OPTIONS", "/v1/events", 0, edge_events_options, NULL},
};

int main(int argc, char **argv)
{
    const struct service_spec spec = {
        .name = "ingest",
        .settings = settings,
        .setting_count = countof(settings),
        .metrics = ingest_metrics,
        .metric_count = ingest_metric_count,
        .calls = calls,
        .call_count = countof(calls),
        .routes = routes,
        .route_count = countof(routes),
        .start = ingest_start,
        .forget = ingest_forget,
        .reload = ingest_reload,
        .drain = ingest_drain,
        .stop = ingest_stop,
        .submitted = edge_native_submitted,
        .not_ready = ingest_not_ready,
    };

    return service_main(&spec, argc, argv);
}
