#include "base/macros.h"
#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct metric events_total = {.name = "moment_events_total",
                                     .kind = METRIC_COUNTER,
                                     .help = "Events taken in.",
                                     .label = "source"};
static struct metric queue_bytes = {
    .name = "moment_queue_bytes", .kind = METRIC_GAUGE, .help = "Bytes waiting."};
static struct metric lag_seconds = {
    .name = "moment_lag_seconds", .kind = METRIC_HISTOGRAM, .help = "Lag."};
static struct metric *const rows[] = {&events_total, &queue_bytes, &lag_seconds};

static int start(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        rows[i]->series_count = 0;
        memset(rows[i]->series, 0, sizeof rows[i]->series);
    }
    metric_register(rows, countof(rows)); /* the second time changes nothing */
    return 0;
}

static void written(struct buf *out)
{
    buf_init(out, 100000);
    assert_int_equal(metric_write(out), 0);
}

static void counters_and_gauges_are_written_with_their_labels(void **state)
{
    (void)state;
    struct buf out;
    metric_add(&events_total, "pbx \"1\"\\", 2);
    metric_add(&events_total, "pbx \"1\"\\", 1);
    metric_add(&events_total, "crm", 0.5);
    metric_set(&queue_bytes, "ignored", 12345678901);
    metric_add(&queue_bytes, NULL, -1);
    assert_true(metric_get(&events_total, "pbx \"1\"\\") > 2.99);
    assert_true(metric_get(&events_total, "none") < 0.01);
    written(&out);
    const char *text = buf_text(&out);
    assert_non_null(strstr(text, "# HELP moment_events_total Events taken in.\n"
                                 "# TYPE moment_events_total counter\n"
                                 "moment_events_total{source=\"pbx \\\"1\\\"\\\\\"} 3\n"
                                 "moment_events_total{source=\"crm\"} 0.5\n"));
    assert_non_null(strstr(text, "# TYPE moment_queue_bytes gauge\n"
                                 "moment_queue_bytes 12345678900\n"));
    buf_done(&out);
}

static void a_row_without_label_is_there_before_anything_happened(void **state)
{
    (void)state;
    struct buf out;
    written(&out);
    assert_non_null(strstr(buf_text(&out), "\nmoment_queue_bytes 0\n"));
    assert_non_null(strstr(buf_text(&out), "\nmoment_lag_seconds_count 0\n"));
    assert_null(strstr(buf_text(&out), "moment_events_total{"));
    buf_done(&out);
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    struct buf out;
    metric_observe(&lag_seconds, NULL, 0.0005); /* a bound belongs to its bucket */
    metric_observe(&lag_seconds, NULL, 0.0006);
    metric_observe(&lag_seconds, NULL, 1e12);
    written(&out);
    const char *text = buf_text(&out);
    assert_non_null(strstr(text, "moment_lag_seconds_bucket{le=\"0.0005\"} 1\n"
                                 "moment_lag_seconds_bucket{le=\"0.002\"} 2\n"));
    assert_non_null(strstr(text, "moment_lag_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "moment_lag_seconds_count 3\n"));
    buf_done(&out);
}

static void the_number_of_series_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char label[16];
        snprintf(label, sizeof label, "source%d", i);
        metric_add(&events_total, label, 1);
    }
    assert_int_equal(events_total.series_count, METRIC_SERIES_MAX);
    assert_true(metric_get(&events_total, "source30") > 0.99);
    assert_true(metric_get(&events_total, "other") > 1000 - METRIC_SERIES_MAX + 0.99);
}

static void a_full_buffer_is_an_error(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 100);
    assert_true(metric_write(&out) < 0);
    buf_done(&out);
}

static void the_table_is_made_from_the_rows(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 10000);
    assert_int_equal(metric_document(rows, countof(rows), &out), 0);
    assert_non_null(strstr(buf_text(&out),
                           "| `moment_events_total` | counter | source | Events taken in. |\n"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counters_and_gauges_are_written_with_their_labels, start),
        cmocka_unit_test_setup(a_row_without_label_is_there_before_anything_happened, start),
        cmocka_unit_test_setup(histograms_are_cumulative, start),
        cmocka_unit_test_setup(the_number_of_series_is_bounded, start),
        cmocka_unit_test_setup(a_full_buffer_is_an_error, start),
        cmocka_unit_test_setup(the_table_is_made_from_the_rows, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
