#include "io/bisect.h"

size_t bisect_take(const struct bisect *bisect, size_t most)
{
    size_t half = bisect->suspects > 1 ? bisect->suspects / 2 : bisect->suspects;
    return half > 0 && half < most ? half : most;
}

bool bisect_failed(struct bisect *bisect, size_t count)
{
    bisect->suspects = count > 1 ? count : 0;
    return count == 1;
}

void bisect_passed(struct bisect *bisect, size_t count)
{
    bisect->suspects = bisect->suspects > count ? bisect->suspects - count : 0;
}
