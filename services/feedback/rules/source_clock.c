#include "feedback/rules/source_clock.h"

void source_clock_hear(struct source_clock *clock, int64_t occurred_at, int64_t received_at)
{
    int64_t difference = received_at - occurred_at;

    if (!clock->has_current) {
        clock->has_current = true;
        clock->window_at = received_at;
        clock->current = difference;
        return;
    }
    if (received_at - clock->window_at >= SOURCE_CLOCK_WINDOW_US) {
        clock->has_previous = true;
        clock->previous = clock->current;
        clock->window_at = received_at;
        clock->current = difference;
        return;
    }
    if (difference < clock->current) {
        clock->current = difference;
    }
}

void source_clock_seed(struct source_clock *clock, int64_t difference)
{
    if (!clock->has_previous || difference < clock->previous) {
        clock->has_previous = true;
        clock->previous = difference;
    }
}

int64_t source_clock_difference(const struct source_clock *clock)
{
    if (clock->has_current && clock->has_previous) {
        return clock->current < clock->previous ? clock->current : clock->previous;
    }
    if (clock->has_current) {
        return clock->current;
    }
    return clock->has_previous ? clock->previous : 0;
}

int64_t source_clock_skew(const struct source_clock *clock, int64_t trust)
{
    int64_t difference = source_clock_difference(clock);

    return difference >= 0 && difference < trust ? 0 : difference;
}
