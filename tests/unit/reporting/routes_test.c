#include "reporting/routes.h"

#include "reporting/edge_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct edge_call *row(size_t i)
{
    return reporting_routes[i].about;
}

static void every_parameter_of_a_path_is_a_text_of_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_route_count; i++) {
        const char *at = row(i) != NULL ? strchr(reporting_routes[i].path, '{') : NULL;

        for (; at != NULL; at = strchr(at + 1, '{')) {
            char name[64] = "";

            memcpy(name, at + 1, strcspn(at + 1, "}"));
            const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field_by_name(row(i)->request, name);

            print_message("%s\n", reporting_routes[i].path);
            assert_non_null(field);
            assert_int_equal(field->type, PROTOBUF_C_TYPE_STRING);
        }
    }
}

/* "/api/v1/x" of feedback.ListX: the messages are those of the method. */
static void the_messages_are_those_of_the_method(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_route_count; i++) {
        if (row(i) == NULL)
            continue;
        const char *rpc = strchr(row(i)->method, '.') + 1;
        size_t len = strlen(rpc);

        print_message("%s\n", row(i)->method);
        assert_int_equal(strncmp(row(i)->method, row(i)->owner, strlen(row(i)->owner)), 0);
        assert_int_equal(strncmp(row(i)->request->short_name, rpc, len), 0);
        assert_string_equal(row(i)->request->short_name + len, "Request");
        assert_int_equal(strncmp(row(i)->response->short_name, rpc, len), 0);
        assert_string_equal(row(i)->response->short_name + len, "Response");
    }
}

static void a_get_has_no_body_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_route_count; i++) {
        bool is_get = strcmp(reporting_routes[i].method, "GET") == 0;

        if (is_get)
            assert_int_equal(reporting_routes[i].body_max, 0);
        if (row(i) == NULL)
            continue;
        assert_true(row(i)->roles != 0);
        assert_true((row(i)->roles & ROLE_SERVICE) == 0);
        if (is_get)
            assert_false(row(i)->is_command);
        else
            assert_true(reporting_routes[i].body_max >= 2); /* {} */
    }
}

static void no_route_stands_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_route_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(reporting_routes[i].method, reporting_routes[j].method) == 0)
                assert_string_not_equal(reporting_routes[i].path, reporting_routes[j].path);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_of_a_path_is_a_text_of_the_request),
        cmocka_unit_test(the_messages_are_those_of_the_method),
        cmocka_unit_test(a_get_has_no_body_and_changes_nothing),
        cmocka_unit_test(no_route_stands_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
