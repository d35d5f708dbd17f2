#include "ingest/rules/directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MINUTES_OF_DAY 1440

enum column {
    COLUMN_KIND,
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_SITE,
    COLUMN_TEAM,
    COLUMN_ROLE,
    COLUMN_COACH,
    COLUMN_AGENT_IDS,
    COLUMN_TIME_ZONE,
    COLUMN_OPEN_HOURS,
    COLUMN_HOLIDAYS,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {"kind",      "id",         "name",    "site",
                                                  "team",      "role",       "coach",   "agent_ids",
                                                  "time_zone", "open_hours", "holidays"};

#define OF(kind) (1U << (kind))
/* Which kinds may fill which column. */
static const unsigned column_kinds[COLUMNS] = {
    [COLUMN_KIND] = ~0U,
    [COLUMN_ID] = ~0U,
    [COLUMN_NAME] = ~0U,
    [COLUMN_SITE] = OF(DIRECTORY_TEAM) | OF(DIRECTORY_PERSON) | OF(DIRECTORY_QUEUE),
    [COLUMN_TEAM] = OF(DIRECTORY_PERSON),
    [COLUMN_ROLE] = OF(DIRECTORY_PERSON),
    [COLUMN_COACH] = OF(DIRECTORY_PERSON),
    [COLUMN_AGENT_IDS] = OF(DIRECTORY_PERSON),
    [COLUMN_TIME_ZONE] = OF(DIRECTORY_SITE),
    [COLUMN_OPEN_HOURS] = OF(DIRECTORY_SITE),
    [COLUMN_HOLIDAYS] = OF(DIRECTORY_SITE),
};

static const char *const kind_names[] = {
    [DIRECTORY_SITE] = "site",
    [DIRECTORY_TEAM] = "team",
    [DIRECTORY_PERSON] = "person",
    [DIRECTORY_QUEUE] = "queue",
};

static const char *const role_names[] = {"leader", "coach", "agent", "integrator", "operator"};

struct csv {
    char *at;
    char *end;
    uint32_t line;
    bool is_malformed; /* of the field just read */
    bool ends_record;
};

struct errors {
    const struct directory_sinks *sinks;
    uint32_t line;
    size_t count;
};

static void tell(struct errors *errors, const char *field, const char *message)
{
    errors->count++;
    errors->sinks->error(errors->sinks->context, errors->line, field, message);
}

const char *directory_kind_name(enum directory_kind kind)
{
    size_t i = (size_t)kind;
    return i < countof(kind_names) && kind_names[i] ? kind_names[i] : "";
}

enum directory_kind directory_kind_of(struct slice name)
{
    for (size_t i = 1; i < countof(kind_names); i++) {
        if (slice_is(name, kind_names[i]))
            return (enum directory_kind)i;
    }
    return DIRECTORY_NONE;
}

bool directory_role_is_valid(const char *role)
{
    for (size_t i = 0; i < countof(role_names); i++) {
        if (strcmp(role_names[i], role) == 0)
            return true;
    }
    return false;
}

void directory_entry_init(struct directory_entry *entry)
{
    memset(entry, 0, sizeof(*entry));
    entry->id = entry->name = entry->site_id = entry->team_id = "";
    entry->role = entry->coach_id = entry->time_zone = "";
}

/* --- values ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int two_digits(const char *at)
{
    return is_digit(at[0]) && is_digit(at[1]) ? (at[0] - '0') * 10 + (at[1] - '0') : -1;
}

bool directory_date_is_valid(const char *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(date) != 10 || date[4] != '-' || date[7] != '-')
        return false;
    int high = two_digits(date);
    int low = two_digits(date + 2);
    int month = two_digits(date + 5);
    int day = two_digits(date + 8);
    if (high < 0 || low < 0 || month < 1 || month > 12 || day < 1)
        return false;
    int year = high * 100 + low;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && is_leap);
}

bool directory_time_zone_is_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > 64 || name[0] == '/' || name[len - 1] == '/' || strstr(name, "//") ||
        strstr(name, ".."))
        return false;
    if (!(name[0] >= 'A' && name[0] <= 'Z'))
        return false;
    for (const char *at = name; *at; at++) {
        bool is_letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');
        if (!is_letter && !is_digit(*at) && !strchr("/_+-", *at))
            return false;
    }
    return true;
}

static void skip_spaces(const char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
}

static int parse_weekday(const char **at)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < 7; i++) {
        if (strncasecmp(*at, names[i], 3) == 0) {
            *at += 3;
            return i + 1;
        }
    }
    return -EINVAL;
}

/* "08:00" up to "24:00" */
static int parse_minute(const char **at)
{
    const char *text = *at;
    if (strlen(text) < 5 || text[2] != ':')
        return -EINVAL;
    int hour = two_digits(text);
    int minute = two_digits(text + 3);
    if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > MINUTES_OF_DAY)
        return -EINVAL;
    *at += 5;
    return hour * 60 + minute;
}

/* "Mon-Fri", "Mon,Wed": a bit per day, 1 << weekday. */
static int parse_days(const char **at, unsigned *ret_days)
{
    *ret_days = 0;
    for (;;) {
        int first = parse_weekday(at);
        int last = first;
        if (first > 0 && **at == '-') {
            (*at)++;
            last = parse_weekday(at);
        }
        if (first < 0 || last < first)
            return -EINVAL;
        for (int day = first; day <= last; day++)
            *ret_days |= 1U << day;
        if (**at != ',')
            return 0;
        (*at)++;
        skip_spaces(at);
    }
}

static void insert_hours(struct directory_hours *hours, size_t count, struct directory_hours item)
{
    size_t at = count;
    for (; at > 0; at--) {
        const struct directory_hours *before = &hours[at - 1];
        if (before->weekday < item.weekday ||
            (before->weekday == item.weekday && before->opens_minute <= item.opens_minute))
            break;
        hours[at] = *before;
    }
    hours[at] = item;
}

/* "08:00-12:00,13:00-17:00" on each of the days. */
static int parse_windows(const char **at, unsigned days, struct directory_hours *hours, size_t max,
                         size_t *count)
{
    for (;;) {
        int opens = parse_minute(at);
        if (opens < 0 || **at != '-')
            return -EINVAL;
        (*at)++;
        int closes = parse_minute(at);
        if (closes < 0)
            return -EINVAL;
        for (unsigned day = 1; day <= 7; day++) {
            if (!(days & 1U << day))
                continue;
            if (*count == max)
                return -E2BIG;
            struct directory_hours item = {(uint8_t)day, (uint16_t)opens, (uint16_t)closes};
            insert_hours(hours, (*count)++, item);
        }
        skip_spaces(at);
        if (**at != ',')
            return 0;
        (*at)++;
        skip_spaces(at);
    }
}

int directory_parse_hours(const char *text, struct directory_hours *ret_hours, size_t max,
                          size_t *ret_count)
{
    size_t count = 0;
    const char *at = text;
    skip_spaces(&at);
    while (*at) {
        unsigned days;
        int error = parse_days(&at, &days);
        if (error)
            return error;
        skip_spaces(&at);
        error = parse_windows(&at, days, ret_hours, max, &count);
        if (error)
            return error;
        if (*at == ';')
            at++;
        else if (*at)
            return -EINVAL;
        skip_spaces(&at);
    }
    if (!directory_hours_are_valid(ret_hours, count))
        return -ERANGE;
    *ret_count = count;
    return 0;
}

bool directory_hours_are_valid(const struct directory_hours *hours, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct directory_hours *item = &hours[i];
        if (item->weekday < 1 || item->weekday > 7 || item->closes_minute <= item->opens_minute ||
            item->closes_minute > MINUTES_OF_DAY)
            return false;
        if (i == 0)
            continue;
        const struct directory_hours *before = &hours[i - 1];
        if (before->weekday > item->weekday ||
            (before->weekday == item->weekday && before->closes_minute > item->opens_minute))
            return false;
    }
    return true;
}

/* Cuts the next item of a ';' list off *rest, without the spaces around it; null at its end. */
static char *next_item(char **rest)
{
    while (*rest) {
        char *item = *rest;
        char *end = strchr(item, ';');
        if (end)
            *end++ = 0;
        *rest = end;
        while (*item == ' ' || *item == '\t')
            item++;
        for (size_t len = strlen(item); len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t');)
            item[--len] = 0;
        if (*item)
            return item;
    }
    return NULL;
}

static void take_agent_ids(char *text, struct directory_entry *entry, struct errors *errors)
{
    for (char *rest = text, *item; (item = next_item(&rest));) {
        if (entry->agent_id_count == DIRECTORY_AGENT_IDS_MAX) {
            tell(errors, "agent_ids", "has more than 16 agent ids");
            return;
        }
        struct directory_agent_id *id = &entry->agent_ids[entry->agent_id_count++];
        char *equals = strchr(item, '=');
        if (equals)
            *equals = 0;
        id->source = equals ? item : "";
        id->agent = equals ? equals + 1 : item;
    }
}

static void take_holidays(char *text, struct directory_entry *entry, struct errors *errors)
{
    for (char *rest = text, *item; (item = next_item(&rest));) {
        if (entry->holiday_count == DIRECTORY_HOLIDAYS_MAX) {
            tell(errors, "holidays", "has more than 128 holidays");
            return;
        }
        struct directory_holiday *holiday = &entry->holidays[entry->holiday_count++];
        char *space = strchr(item, ' ');
        if (space)
            *space = 0;
        holiday->date = item;
        holiday->name = space ? space + 1 : "";
    }
}

static void take_hours(const char *text, struct directory_entry *entry, struct errors *errors)
{
    switch (directory_parse_hours(text, entry->hours, DIRECTORY_HOURS_MAX, &entry->hours_count)) {
    case 0:
        break;
    case -ERANGE:
        tell(errors, "open_hours", "has windows that overlap or close before they open");
        break;
    case -E2BIG:
        tell(errors, "open_hours", "has more than 64 windows");
        break;
    default:
        tell(errors, "open_hours",
             "is not like \"Mon-Fri 08:00-12:00,13:00-17:00; Sat 09:00-12:00\"");
    }
}

/* --- entries ---------------------------------------------------------------------------------- */

static void check_text(struct errors *errors, const char *field, const char *value, size_t max)
{
    size_t len = strlen(value);
    if (len > max)
        tell(errors, field, "is too long");
    else if (!text_is_utf8(value, len))
        tell(errors, field, "is not UTF-8");
    for (const char *at = value; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F) {
            tell(errors, field, "has control characters");
            return;
        }
    }
}

static void check_site(const struct directory_entry *entry, struct errors *errors)
{
    if (!*entry->time_zone)
        tell(errors, "time_zone", "is required for a site");
    else if (!directory_time_zone_is_valid(entry->time_zone))
        tell(errors, "time_zone", "is not an IANA name such as \"Europe/Berlin\"");
    if (!directory_hours_are_valid(entry->hours, entry->hours_count))
        tell(errors, "open_hours", "has windows that overlap or close before they open");
    for (size_t i = 0; i < entry->holiday_count; i++) {
        if (!directory_date_is_valid(entry->holidays[i].date))
            tell(errors, "holidays", "has something that is not a date like 2026-12-25");
        check_text(errors, "holidays", entry->holidays[i].name, DIRECTORY_NAME_MAX);
    }
}

static void check_person(const struct directory_entry *entry, struct errors *errors)
{
    if (!directory_role_is_valid(entry->role))
        tell(errors, "role", "is not one of leader, coach, agent, integrator, operator");
    if (*entry->coach_id && strcmp(entry->coach_id, entry->id) == 0)
        tell(errors, "coach", "nobody coaches themselves");
    for (size_t i = 0; i < entry->agent_id_count; i++) {
        if (!*entry->agent_ids[i].agent)
            tell(errors, "agent_ids", "has an empty agent id");
        check_text(errors, "agent_ids", entry->agent_ids[i].agent, DIRECTORY_NAME_MAX);
        check_text(errors, "agent_ids", entry->agent_ids[i].source, DIRECTORY_ID_MAX);
    }
}

size_t directory_check(const struct directory_entry *entry, const struct directory_sinks *sinks)
{
    struct errors errors = {.sinks = sinks, .line = entry->line};
    if (entry->kind == DIRECTORY_NONE)
        tell(&errors, "kind", "is not one of site, team, person, queue");
    if (!*entry->id)
        tell(&errors, "id", "is required");
    check_text(&errors, "id", entry->id, DIRECTORY_ID_MAX);
    if (!*entry->name)
        tell(&errors, "name", "is required");
    check_text(&errors, "name", entry->name, DIRECTORY_NAME_MAX);
    check_text(&errors, "site", entry->site_id, DIRECTORY_ID_MAX);
    check_text(&errors, "team", entry->team_id, DIRECTORY_ID_MAX);
    check_text(&errors, "coach", entry->coach_id, DIRECTORY_ID_MAX);
    if (entry->kind != DIRECTORY_SITE && entry->kind != DIRECTORY_NONE && !*entry->site_id)
        tell(&errors, "site", "is required");
    if (entry->kind == DIRECTORY_SITE)
        check_site(entry, &errors);
    else if (entry->kind == DIRECTORY_PERSON)
        check_person(entry, &errors);
    return errors.count;
}

static bool is_given(const struct directory_entry *const *entries, size_t count,
                     enum directory_kind kind, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i]->kind == kind && strcmp(entries[i]->id, id) == 0)
            return true;
    }
    return false;
}

struct references {
    const struct directory_entry *const *entries;
    size_t count;
    directory_known *known;
    struct errors errors;
};

static void check_reference(struct references *all, const char *field, enum directory_kind kind,
                            const char *id)
{
    if (!*id || is_given(all->entries, all->count, kind, id) ||
        all->known(all->errors.sinks->context, kind, id))
        return;
    char message[DIRECTORY_ID_MAX + 64];
    (void)snprintf(message, sizeof(message), "names a %s that does not exist: %.128s",
                   directory_kind_name(kind), id);
    tell(&all->errors, field, message);
}

static bool claims(const struct directory_entry *entry, const struct directory_agent_id *id)
{
    for (size_t i = 0; i < entry->agent_id_count; i++) {
        if (strcmp(entry->agent_ids[i].agent, id->agent) == 0 &&
            strcmp(entry->agent_ids[i].source, id->source) == 0)
            return true;
    }
    return false;
}

static void check_unique(struct references *all, size_t at)
{
    const struct directory_entry *entry = all->entries[at];
    if (is_given(all->entries, at, entry->kind, entry->id))
        tell(&all->errors, "id", "is given twice");
    for (size_t i = 0; i < entry->agent_id_count; i++) {
        for (size_t j = 0; j < at; j++) {
            if (all->entries[j]->kind == DIRECTORY_PERSON &&
                strcmp(all->entries[j]->id, entry->id) != 0 &&
                claims(all->entries[j], &entry->agent_ids[i])) {
                tell(&all->errors, "agent_ids", "claims an agent id that another person has");
                break;
            }
        }
    }
}

size_t directory_check_references(const struct directory_entry *const *entries, size_t count,
                                  directory_known *known, const struct directory_sinks *sinks)
{
    struct references all = {entries, count, known, {.sinks = sinks}};
    for (size_t i = 0; i < count; i++) {
        const struct directory_entry *entry = entries[i];
        all.errors.line = entry->line;
        check_reference(&all, "site", DIRECTORY_SITE, entry->site_id);
        check_reference(&all, "team", DIRECTORY_TEAM, entry->team_id);
        check_reference(&all, "coach", DIRECTORY_PERSON, entry->coach_id);
        check_unique(&all, i);
    }
    return all.errors.count;
}

/* --- CSV (RFC 4180) --------------------------------------------------------------------------- */

static void end_field(struct csv *csv, char *write)
{
    csv->ends_record = true;
    char *at = csv->at;
    if (at < csv->end && *at == ',') {
        csv->ends_record = false;
        csv->at++;
    } else {
        if (at < csv->end && *at == '\r')
            at++;
        if (at < csv->end && *at == '\n') {
            at++;
            csv->line++;
        }
        csv->at = at;
    }
    *write = 0;
}

/* Reads one field and leaves it NUL-terminated where it stood. */
static char *read_field(struct csv *csv)
{
    char *field = csv->at;
    char *write = field;
    csv->is_malformed = false;
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        bool is_closed = false;
        while (csv->at < csv->end && !is_closed) {
            char c = *csv->at++;
            if (c == '"' && csv->at < csv->end && *csv->at == '"')
                csv->at++;
            else if (c == '"')
                is_closed = true;
            if (c == '\n')
                csv->line++;
            if (!is_closed)
                *write++ = c;
        }
        csv->is_malformed = !is_closed;
    }
    while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r') {
        csv->is_malformed |= *csv->at == '"' || csv->at != write;
        *write++ = *csv->at++;
    }
    end_field(csv, write);
    return field;
}

/* Reads a record into at most COLUMNS fields; returns how many there were. */
static size_t read_record(struct csv *csv, char *fields[COLUMNS], bool *ret_malformed)
{
    size_t count = 0;
    *ret_malformed = false;
    do {
        char *field = read_field(csv);
        *ret_malformed |= csv->is_malformed;
        if (count < COLUMNS)
            fields[count] = field;
        count++;
    } while (!csv->ends_record);
    return count;
}

static enum column column_of(const char *name)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strcasecmp(column_names[i], name) == 0)
            return (enum column)i;
    }
    return COLUMNS;
}

/* The header line: which column stands where. */
static size_t read_header(struct csv *csv, enum column order[COLUMNS], struct errors *errors)
{
    char *fields[COLUMNS];
    bool is_malformed;
    errors->line = csv->line;
    size_t count = read_record(csv, fields, &is_malformed);
    bool seen[COLUMNS + 1] = {false};
    if (is_malformed)
        tell(errors, "", "has quotes that do not match");
    if (count > COLUMNS)
        tell(errors, "", "has too many columns");
    for (size_t i = 0; i < count && i < COLUMNS; i++) {
        order[i] = column_of(fields[i]);
        if (order[i] == COLUMNS)
            tell(errors, fields[i], "is not a column of a directory");
        else if (seen[order[i]])
            tell(errors, fields[i], "is given twice");
        seen[order[i]] = true;
    }
    if (!seen[COLUMN_KIND] || !seen[COLUMN_ID])
        tell(errors, "", "the columns kind and id are required");
    return count < COLUMNS ? count : COLUMNS;
}

static void take_values(char *const values[COLUMNS], struct directory_entry *entry,
                        struct errors *errors)
{
    entry->kind = directory_kind_of(slice_of(values[COLUMN_KIND]));
    entry->id = values[COLUMN_ID];
    entry->name = *values[COLUMN_NAME] ? values[COLUMN_NAME] : values[COLUMN_ID];
    entry->site_id = values[COLUMN_SITE];
    entry->team_id = values[COLUMN_TEAM];
    entry->coach_id = values[COLUMN_COACH];
    entry->time_zone = values[COLUMN_TIME_ZONE];
    entry->role = *values[COLUMN_ROLE] ? values[COLUMN_ROLE] : "agent";
    for (size_t i = 0; i < COLUMNS && entry->kind != DIRECTORY_NONE; i++) {
        if (*values[i] && !(column_kinds[i] & OF(entry->kind))) {
            char message[64];
            (void)snprintf(message, sizeof(message), "does not belong to a %s",
                           directory_kind_name(entry->kind));
            tell(errors, column_names[i], message);
        }
    }
    take_agent_ids(values[COLUMN_AGENT_IDS], entry, errors);
    take_holidays(values[COLUMN_HOLIDAYS], entry, errors);
    take_hours(values[COLUMN_OPEN_HOURS], entry, errors);
    errors->count += directory_check(entry, errors->sinks);
}

static void read_entry(struct csv *csv, const enum column *order, size_t columns,
                       struct errors *errors)
{
    char *fields[COLUMNS];
    char empty[1] = {0};
    bool is_malformed;
    struct directory_entry entry;
    directory_entry_init(&entry);
    size_t before = errors->count;
    errors->line = entry.line = csv->line;
    size_t count = read_record(csv, fields, &is_malformed);
    if (count == 1 && !*fields[0])
        return; /* an empty line */
    if (is_malformed)
        tell(errors, "", "has quotes that do not match");
    if (count != columns)
        tell(errors, "", "has another number of fields than the header");
    if (errors->count > before)
        return;
    char *values[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        values[i] = empty;
    for (size_t i = 0; i < columns; i++)
        values[order[i]] = fields[i];
    take_values(values, &entry, errors);
    if (errors->count > before)
        return;
    /* Nothing handed on may point into this frame. */
    const char **const texts[] = {&entry.id,   &entry.name,     &entry.site_id,  &entry.team_id,
                                  &entry.role, &entry.coach_id, &entry.time_zone};
    for (size_t i = 0; i < countof(texts); i++) {
        if (*texts[i] == empty)
            *texts[i] = "";
    }
    errors->sinks->entry(errors->sinks->context, &entry);
}

size_t directory_parse_csv(char *text, size_t len, const struct directory_sinks *sinks)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct errors errors = {.sinks = sinks, .line = 1};
    if (memchr(text, 0, len)) {
        tell(&errors, "", "the file has NUL bytes");
        return errors.count;
    }
    /* The errors quote the file, so it must be text before anything else is said about it. */
    if (!text_is_utf8(text, len)) {
        tell(&errors, "", "the file is not UTF-8");
        return errors.count;
    }
    struct csv csv = {.at = text, .end = text + len, .line = 1};
    if (len >= 3 && memcmp(text, bom, 3) == 0)
        csv.at += 3;
    enum column order[COLUMNS];
    size_t columns = read_header(&csv, order, &errors);
    if (errors.count > 0)
        return errors.count;
    while (csv.at < csv.end)
        read_entry(&csv, order, columns, &errors);
    return errors.count;
}
