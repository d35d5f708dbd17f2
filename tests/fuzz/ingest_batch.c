/* An EventBatch as an integrator submits it: refused whole with a problem, or events that can be
 * stored and folded into moments that can be told. */
#include "fuzz_event.h"
#include "ingest/rules/fold.h"

#include <math.h>

static void check_moment(const struct event_list *list)
{
    static uint32_t order[CODEC_EVENTS_MAX];
    static struct moment moment;

    fold(list->items, list->count, order, &moment);
    FUZZ_CHECK(moment.visit_count <= FOLD_VISITS_MAX);
    FUZZ_CHECK(!moment.has_csat || isfinite(moment.csat));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct codec_sender sender = {
        .source = "dialler", .system = "dialler", .site = "", .now_us = INT64_C(1795307636000000)};
    struct problem problem = {.status = 0};
    struct event_list list;
    int r;

    event_list_init(&list);
    r = codec_batch_read((struct slice){(const char *)data, size}, &sender, &list, &problem);
    FUZZ_CHECK((r < 0) == (problem.status >= 400));
    FUZZ_CHECK(text_is_utf8(problem.field, strlen(problem.field)));
    for (size_t i = 0; i < list.count; i++)
        fuzz_check_event(&list.items[i]);
    if (r == 0 && list.count)
        check_moment(&list);
    event_list_done(&list);
    return 0;
}
