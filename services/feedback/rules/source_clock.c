#include "feedback/rules/source_clock.h"

static void hear(struct source_window *window, int64_t difference)
{
    if (window->heard == 0) {
        window->least = difference;
        window->heard = 1;
    } else if (difference < window->least) {
        window->second = window->least;
        window->least = difference;
        window->heard = 2;
    } else if (window->heard == 1 || difference < window->second) {
        window->second = difference;
        window->heard = 2;
    }
}

void source_clock_hear(struct source_clock *clock, int64_t occurred_at, int64_t received_at)
{
    if (clock->current.heard == 0) {
        clock->window_at = received_at;
    } else if (received_at - clock->window_at >= SOURCE_CLOCK_WINDOW_US) {
        clock->previous = clock->current;
        clock->current.heard = 0;
        clock->window_at = received_at;
    }
    hear(&clock->current, received_at - occurred_at);
}

void source_clock_seed(struct source_clock *clock, int64_t difference)
{
    hear(&clock->previous, difference);
}

int64_t source_clock_difference(const struct source_clock *clock)
{
    struct source_window both = clock->current;

    if (clock->previous.heard >= 1) {
        hear(&both, clock->previous.least);
    }
    if (clock->previous.heard >= 2) {
        hear(&both, clock->previous.second);
    }
    if (both.heard == 0) {
        return 0;
    }
    if (both.heard == 2 && both.least < 0 && both.second - both.least > SOURCE_CLOCK_OUTLIER_US) {
        return both.second;
    }
    return both.least;
}

int64_t source_clock_skew(const struct source_clock *clock, int64_t trust)
{
    int64_t difference = source_clock_difference(clock);

    return difference >= 0 && difference < trust ? 0 : difference;
}
