/* Who agrees with whom, and what a calibration session may be. */
#include "feedback/rules/calibration.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000000000)
#define DAY INT64_C(86400000000)
#define ENTRIES_MAX 400

static const char *const yes[] = {"yes"}, *const no[] = {"no"}, *const none[] = {""},
                         *const not_applicable[] = {"n/a"}, *const met[] = {"met"},
                         *const not_met[] = {"not_met"};

static struct calibration_entry entries[ENTRIES_MAX];
static size_t entry_count;

static int set_up(void **state)
{
    (void)state;
    entry_count = 0;
    return 0;
}

static void say(size_t person, size_t moment, const char *const *answers)
{
    assert_true(entry_count < ENTRIES_MAX);
    entries[entry_count++] =
        (struct calibration_entry){.person = person, .moment = moment, .answers = answers};
}

static void say_score(size_t person, size_t moment, double score)
{
    say(person, moment, yes);
    entries[entry_count - 1].is_known = true;
    entries[entry_count - 1].score = score;
}

static struct calibration_agreement agree(bool is_two_valued)
{
    struct calibration_agreement agreement;

    calibration_agree(entries, entry_count, 0, is_two_valued, &agreement);
    return agreement;
}

/* The table of the vector: so many moments with both, with the first, the second, with neither. */
static void fill_table(const char *const *first, const char *const *second)
{
    static const struct {
        size_t count;
        bool a, b;
    } cells[] = {{20, true, true}, {5, true, false}, {10, false, true}, {15, false, false}};
    size_t moment = 0;

    for (size_t i = 0; i < countof(cells); i++) {
        for (size_t n = 0; n < cells[i].count; n++, moment++) {
            /* The second of the two submits first: that changes nothing. */
            say(1, moment, cells[i].b ? first : second);
            say(0, moment, cells[i].a ? first : second);
        }
    }
}

static void the_vector_of_seventy_per_cent_has_a_kappa_of_forty(void **state)
{
    struct calibration_agreement agreement;

    (void)state;
    fill_table(yes, no);
    agreement = agree(true);
    assert_int_equal(agreement.pairs, 50);
    assert_int_equal(agreement.agreed, 35);
    assert_true(agreement.has_kappa);
    assert_true(fabs(agreement.kappa - 0.40) < 1e-12);
    assert_false(agree(false).has_kappa);
}

static void met_and_not_met_have_a_kappa_too(void **state)
{
    (void)state;
    fill_table(met, not_met);
    assert_true(fabs(agree(true).kappa - 0.40) < 1e-12);
}

static void kappa_is_unknown_where_chance_alone_agrees(void **state)
{
    struct calibration_agreement agreement;

    (void)state;
    for (size_t moment = 0; moment < 20; moment++) {
        say(0, moment, yes);
        say(1, moment, yes);
    }
    agreement = agree(true);
    assert_int_equal(agreement.pairs, 20);
    assert_int_equal(agreement.agreed, 20);
    assert_false(agreement.has_kappa);
}

static void kappa_goes_from_minus_one_to_one(void **state)
{
    (void)state;
    say(0, 0, yes);
    say(1, 0, yes);
    say(0, 1, no);
    say(1, 1, no);
    assert_true(fabs(agree(true).kappa - 1.0) < 1e-12);
    entry_count = 0;
    say(0, 0, yes);
    say(1, 0, no);
    say(0, 1, no);
    say(1, 1, yes);
    assert_true(fabs(agree(true).kappa + 1.0) < 1e-12);
}

static void nobody_who_answered_makes_no_pair(void **state)
{
    struct calibration_agreement agreement;

    (void)state;
    agreement = agree(true);
    assert_int_equal(agreement.pairs, 0);
    assert_false(agreement.has_kappa);
    say(0, 0, yes);
    say(1, 0, none);
    say(0, 1, none);
    say(1, 1, none);
    say(0, 2, yes); /* the other one is missing */
    assert_int_equal(agree(true).pairs, 0);
}

static void not_applicable_is_an_answer_but_not_one_of_two(void **state)
{
    struct calibration_agreement agreement;

    (void)state;
    say(0, 0, not_applicable);
    say(1, 0, not_applicable);
    say(0, 1, not_applicable);
    say(1, 1, yes);
    agreement = agree(true);
    assert_int_equal(agreement.pairs, 2);
    assert_int_equal(agreement.agreed, 1);
    assert_false(agreement.has_kappa);
}

static void every_two_people_of_a_moment_are_a_pair(void **state)
{
    (void)state;
    for (size_t person = 0; person < 4; person++) {
        say(person, 0, person == 0 ? no : yes);
        say(person, 1, yes);
    }
    assert_int_equal(agree(true).pairs, 12);
    assert_int_equal(agree(true).agreed, 9);
}

static void each_criterion_has_its_own_agreement(void **state)
{
    static const char *const a[] = {"yes", "3"}, *const b[] = {"yes", "2"};
    struct calibration_agreement agreement;

    (void)state;
    say(0, 0, a);
    say(1, 0, b);
    assert_int_equal(agree(false).agreed, 1);
    calibration_agree(entries, entry_count, 1, false, &agreement);
    assert_int_equal(agreement.pairs, 1);
    assert_int_equal(agreement.agreed, 0);
}

static void ten_points_are_close_and_more_are_not(void **state)
{
    struct calibration_closeness closeness;

    (void)state;
    say_score(0, 0, 70.1);
    say_score(1, 0, 80.1);
    say_score(0, 1, 70);
    say_score(1, 1, 80.01);
    say_score(0, 2, 90);
    say_score(1, 2, 60);
    say_score(0, 3, 90);
    say(1, 3, yes); /* nothing applied: no score */
    closeness = calibration_closeness(entries, entry_count);
    assert_int_equal(closeness.pairs, 3);
    assert_int_equal(closeness.within, 1);
}

/* --- a new session --- */

static const struct calibration_person people[] = {{"cleo", "Cleo C", false},
                                                   {"lea", "Lea L", true}};
static const char *const moments[] = {"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"};

static struct calibration_wish wish(void)
{
    return (struct calibration_wish){.title = "Is a greeting without a name still one?",
                                     .people = people,
                                     .person_count = 2,
                                     .moment_ids = moments,
                                     .moment_count = 1,
                                     .deadline_at = NOW + DAY};
}

static void check(const struct calibration_wish *wished, const char *field)
{
    struct objection objection = {0};
    int error = calibration_check(wished, NOW, &objection);

    assert_string_equal(objection.field, field);
    assert_int_equal(error, field[0] != '\0' ? -EINVAL : 0);
    assert_int_equal(objection.detail[0] != '\0', field[0] != '\0');
}

static void a_session_has_a_title_people_moments_and_a_deadline(void **state)
{
    struct calibration_wish wished = wish();
    char title[2 * CALIBRATION_TITLE_MAX + 3] = "";

    (void)state;
    check(&wished, "");
    for (size_t i = 0; i < CALIBRATION_TITLE_MAX; i++) {
        strcat(title, "é");
    }
    wished.title = title;
    check(&wished, "");
    strcat(title, "é");
    check(&wished, "calibration.title");
    wished.title = "  ";
    check(&wished, "calibration.title");
    wished = wish();
    wished.person_count = 1;
    check(&wished, "calibration.participants");
    wished = wish();
    wished.moment_count = 0;
    check(&wished, "calibration.moment_ids");
}

static void nothing_is_there_twice(void **state)
{
    static const struct calibration_person twins[] = {{"cleo", "Cleo C", false},
                                                      {"cleo", "Cleo", false}};
    static const struct calibration_person experts[] = {{"cleo", "Cleo C", true},
                                                        {"lea", "Lea L", true}};
    static const char *const twice[] = {"a", "b", "a"};
    struct calibration_wish wished = wish();

    (void)state;
    wished.people = twins;
    check(&wished, "calibration.participants[1].user_id");
    wished.people = experts;
    check(&wished, "calibration.participants[1].expert");
    wished = wish();
    wished.moment_ids = twice;
    wished.moment_count = 3;
    check(&wished, "calibration.moment_ids[2]");
}

static void there_are_bounds_to_people_and_moments(void **state)
{
    static char ids[CALIBRATION_PEOPLE_MAX + 1][8];
    static const char *moment_ids[CALIBRATION_MOMENTS_MAX + 1];
    struct calibration_person many[CALIBRATION_PEOPLE_MAX + 1];
    struct calibration_wish wished = wish();

    (void)state;
    for (size_t i = 0; i <= CALIBRATION_PEOPLE_MAX; i++) {
        ids[i][0] = (char)('a' + i);
        many[i] = (struct calibration_person){ids[i], ids[i], false};
        moment_ids[i] = ids[i];
    }
    wished.people = many;
    wished.person_count = CALIBRATION_PEOPLE_MAX;
    wished.moment_ids = moment_ids;
    wished.moment_count = CALIBRATION_MOMENTS_MAX;
    check(&wished, "");
    wished.moment_count++;
    check(&wished, "calibration.moment_ids");
    wished.moment_count = 1;
    wished.person_count++;
    check(&wished, "calibration.participants");
    wished.person_count = 2;
    many[1].name = "";
    check(&wished, "calibration.participants[1].name");
    many[0].user_id = "";
    check(&wished, "calibration.participants[0].user_id");
}

static void the_deadline_is_within_sixty_days(void **state)
{
    struct calibration_wish wished = wish();

    (void)state;
    wished.deadline_at = NOW + 60 * DAY;
    check(&wished, "");
    wished.deadline_at++;
    check(&wished, "calibration.deadline_at");
    wished.deadline_at = NOW + 1;
    check(&wished, "");
    wished.deadline_at = NOW;
    check(&wished, "calibration.deadline_at");
    wished.deadline_at = 0;
    check(&wished, "calibration.deadline_at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_vector_of_seventy_per_cent_has_a_kappa_of_forty, set_up),
        cmocka_unit_test_setup(met_and_not_met_have_a_kappa_too, set_up),
        cmocka_unit_test_setup(kappa_is_unknown_where_chance_alone_agrees, set_up),
        cmocka_unit_test_setup(kappa_goes_from_minus_one_to_one, set_up),
        cmocka_unit_test_setup(nobody_who_answered_makes_no_pair, set_up),
        cmocka_unit_test_setup(not_applicable_is_an_answer_but_not_one_of_two, set_up),
        cmocka_unit_test_setup(every_two_people_of_a_moment_are_a_pair, set_up),
        cmocka_unit_test_setup(each_criterion_has_its_own_agreement, set_up),
        cmocka_unit_test_setup(ten_points_are_close_and_more_are_not, set_up),
        cmocka_unit_test(a_session_has_a_title_people_moments_and_a_deadline),
        cmocka_unit_test(nothing_is_there_twice),
        cmocka_unit_test(there_are_bounds_to_people_and_moments),
        cmocka_unit_test(the_deadline_is_within_sixty_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
