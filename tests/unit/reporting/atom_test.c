#include "reporting/atom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static char text[8192];

static const char *written(const struct atom_feed *feed)
{
    struct buf buf;

    buf_init(&buf, sizeof(text) - 1);
    assert_int_equal(atom_write(&buf, feed), 0);
    memcpy(text, buf.data, buf.len);
    text[buf.len] = '\0';
    buf_done(&buf);
    return text;
}

static void a_feed_is_what_rfc_4287_says(void **state)
{
    const struct atom_entry entries[] = {{.id = "31d21820-6f53-8c1e-9e13-e1ab68f6bff3",
                                          .title = "Praise for Anna",
                                          .author = "Bert & sons",
                                          .category = "praise",
                                          .text = "So <quick>!",
                                          .published_at = 1000000,
                                          .updated_at = 2000000},
                                         {.id = "c5b732cf-9368-835e-a567-d40098eb06d6",
                                          .title = "",
                                          .author = "",
                                          .category = "",
                                          .text = "",
                                          .published_at = 500000,
                                          .updated_at = 500000}};
    const struct atom_feed feed = {.id = "00000000-0000-8000-8000-000000000001",
                                   .title = "Wall",
                                   .self = "/wall?a=1&b=2",
                                   .entries = entries,
                                   .count = 2};

    (void)state;
    assert_string_equal(written(&feed), "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                                        "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
                                        "<id>urn:uuid:00000000-0000-8000-8000-000000000001</id>\n"
                                        "<title>Wall</title>\n"
                                        "<updated>1970-01-01T00:00:02.000Z</updated>\n"
                                        "<author><name>Wall</name>\n</author>\n"
                                        "<link rel=\"self\" href=\"/wall?a=1&amp;b=2\"/>\n"
                                        "<entry>\n"
                                        "<id>urn:uuid:31d21820-6f53-8c1e-9e13-e1ab68f6bff3</id>\n"
                                        "<title>Praise for Anna</title>\n"
                                        "<updated>1970-01-01T00:00:02.000Z</updated>\n"
                                        "<published>1970-01-01T00:00:01.000Z</published>\n"
                                        "<author><name>Bert &amp; sons</name>\n</author>\n"
                                        "<category term=\"praise\"/>\n"
                                        "<content>So &lt;quick&gt;!</content>\n"
                                        "</entry>\n"
                                        "<entry>\n"
                                        "<id>urn:uuid:c5b732cf-9368-835e-a567-d40098eb06d6</id>\n"
                                        "<title></title>\n"
                                        "<updated>1970-01-01T00:00:00.500Z</updated>\n"
                                        "<published>1970-01-01T00:00:00.500Z</published>\n"
                                        "<content></content>\n"
                                        "</entry>\n"
                                        "</feed>\n");
}

static void whatever_people_write_stays_xml(void **state)
{
    static const struct {
        const char *said, *written;
    } cases[] = {
        {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
        {"]]>", "]]&gt;"},
        {"a\tb\nc\rd", "a\tb\nc&#13;d"},
        {"\x01\x1b\x7f", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xef\xbf\xbf\xef\xbf\xbe"
         "b",
         "a\xef\xbf\xbd\xef\xbf\xbd"
         "b"},
        {"\xc3\xa9\xf0\x9f\x8e\x89\xef\xbf\xbd", "\xc3\xa9\xf0\x9f\x8e\x89\xef\xbf\xbd"},
    };
    const struct atom_feed empty = {.id = "x", .title = "", .self = ""};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct atom_feed feed = empty;
        char expected[64] = "<title>";

        feed.title = cases[i].said;
        strcat(strcat(expected, cases[i].written), "</title>\n");
        assert_non_null(strstr(written(&feed), expected));
    }
}

static void a_feed_that_does_not_fit_is_an_error(void **state)
{
    const struct atom_feed feed = {.id = "x", .title = "Wall", .self = ""};
    struct buf buf;

    (void)state;
    buf_init(&buf, 60);
    assert_true(atom_write(&buf, &feed) < 0);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_feed_is_what_rfc_4287_says),
        cmocka_unit_test(whatever_people_write_stays_xml),
        cmocka_unit_test(a_feed_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
