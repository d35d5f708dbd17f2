#include "reporting/rules/place.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *place_print_position(uint32_t epoch, uint64_t seq, char text[PLACE_POSITION_SIZE])
{
    (void)snprintf(text, PLACE_POSITION_SIZE, "%" PRIu32 "-%" PRIu64, epoch, seq);
    return text;
}

int place_parse_position(const char *text, uint32_t *ret_epoch, uint64_t *ret_seq)
{
    const char *dash = strchr(text, '-');
    int64_t epoch = 0;
    int64_t seq = 0;

    if (dash == NULL)
        return -EINVAL;
    struct slice first = {text, (size_t)(dash - text)};
    struct slice second = slice_of(dash + 1);

    if (text_to_i64(first, 0, UINT32_MAX, &epoch) < 0 ||
        text_to_i64(second, 0, INT64_MAX, &seq) < 0)
        return -EINVAL;
    *ret_epoch = (uint32_t)epoch;
    *ret_seq = (uint64_t)seq;
    return 0;
}
