/* Times and numbers in text: what is read, is printed and read as the same. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/seal.h"
#include "base/text.h"

#include <math.h>

static void check_time(struct slice text)
{
    char printed[CLOCK_RFC3339_SIZE];
    int64_t at;
    int64_t again;

    if (clock_from_rfc3339(text, &at) < 0)
        return;
    int64_t part = at % 1000;
    int64_t ms = at - (part < 0 ? part + 1000 : part);
    FUZZ_CHECK(clock_from_rfc3339(slice_of(clock_to_rfc3339(at, printed)), &again) == 0);
    FUZZ_CHECK(again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *text = fuzz_text(&input);
    struct slice slice = slice_of(text);
    char id_text[ID_TEXT_SIZE];
    uint8_t bytes[64];
    int64_t whole;
    double real;
    struct id id;
    size_t len;

    check_time(slice);
    check_time((struct slice){(const char *)data, size});
    if (text_to_i64(slice, -1000, 1000, &whole) == 0)
        FUZZ_CHECK(whole >= -1000 && whole <= 1000);
    if (text_to_double(slice, &real) == 0)
        FUZZ_CHECK(isfinite(real));
    if (id_parse(text, &id) == 0)
        FUZZ_CHECK(strcasecmp(id_print(&id, id_text), text) == 0);
    if (seal_unbase64(slice, bytes, sizeof(bytes), &len) == 0)
        FUZZ_CHECK(len <= sizeof(bytes));
    (void)text_copy_slice(id_text, sizeof(id_text), slice);
    FUZZ_CHECK(strlen(id_text) < sizeof(id_text));
    if (text_is_utf8(text, slice.len))
        FUZZ_CHECK(text_is_utf8(id_text, strlen(id_text)));
    free(text);
    return 0;
}
