/* customers - see the header. */
#include "ingest/customers.h"

#include "base/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 20000
#define KEY_MAX 640
#define CONTACTS_MAX 1000

struct customer_address {
    struct customer_address *next;
    char key[];
};

static void *or_die(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void customers_clear(struct customers *customers)
{
    while (customers->all) {
        struct customer *next = customers->all->next;

        free(customers->all->contacts);
        free(customers->all);
        customers->all = next;
    }
    while (customers->addresses) {
        struct customer_address *next = customers->addresses->next;

        free(customers->addresses);
        customers->addresses = next;
    }
    lookup_done(&customers->by_address);
    lookup_done(&customers->by_id);
    customers->address_count = 0;
}

void customers_trim(struct customers *customers)
{
    if (customers->address_count > ADDRESSES_MAX)
        customers_clear(customers);
}

static struct slice key_of(const char *system, const char *address, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s\n%s", system, address);
    return slice_of(key);
}

struct customer *customers_find(const struct customers *customers, const char *system,
                                const char *address)
{
    char key[KEY_MAX];

    return lookup_find(&customers->by_address, key_of(system, address, key));
}

static struct customer *by_id(const struct customers *customers, const struct id *id)
{
    return lookup_find(&customers->by_id, id_slice(id));
}

struct customer *customers_by_id(const struct customers *customers, const char *id_text)
{
    struct id id;

    return id_parse(id_text, &id) < 0 ? NULL : by_id(customers, &id);
}

/* RFC 9562 version 4: nothing of the person is in it. */
static struct id random_id(void)
{
    struct id id;

    seal_random(id.bytes, sizeof(id.bytes));
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

static struct customer *customer_new(struct customers *customers, const struct id *id)
{
    struct customer *customer = or_die(calloc(1, sizeof(*customer)));

    customer->id = *id;
    id_print(id, customer->text);
    customer->next = customers->all;
    customers->all = customer;
    if (lookup_put(&customers->by_id, id_slice(&customer->id), customer) < 0)
        abort();
    return customer;
}

struct customer *customers_add(struct customers *customers, const char *system, const char *address,
                               const struct id *id)
{
    char key[KEY_MAX];
    struct slice text = key_of(system, address, key);
    struct id fresh = id ? *id : random_id();
    struct customer *customer = by_id(customers, &fresh);
    struct customer_address *entry;

    if (!customer)
        customer = customer_new(customers, &fresh);
    if (lookup_find(&customers->by_address, text))
        return customer;
    entry = or_die(calloc(1, sizeof(*entry) + text.len + 1));
    memcpy(entry->key, text.at, text.len);
    entry->next = customers->addresses;
    customers->addresses = entry;
    customers->address_count++;
    if (lookup_put(&customers->by_address, slice_of(entry->key), customer) < 0)
        abort();
    return customer;
}

/* Columns: system, address, customer_id, moment_id, started_at. */
void customers_take_rows(struct customers *customers, const struct db_rows *rows)
{
    for (size_t row = 0; row < db_count(rows); row++) {
        struct customer *customer;
        struct id id = {{0}}, moment_id;

        db_get_uuid(rows, row, 2, id.bytes);
        customer =
            customers_add(customers, db_get_text(rows, row, 0), db_get_text(rows, row, 1), &id);
        if (db_is_null(rows, row, 3))
            continue;
        db_get_uuid(rows, row, 3, moment_id.bytes);
        customer_was_in(customer, &moment_id, db_get_time(rows, row, 4));
    }
}

void customer_was_in(struct customer *customer, const struct id *moment_id, int64_t started_at)
{
    for (size_t i = 0; i < customer->count; i++) {
        if (memcmp(&customer->contacts[i].moment_id, moment_id, sizeof(*moment_id)) == 0) {
            customer->contacts[i].started_at = started_at;
            return;
        }
    }
    if (customer->count == CONTACTS_MAX) {
        /* A test line or a bot: the oldest no longer matter. */
        memmove(customer->contacts, customer->contacts + 1,
                (CONTACTS_MAX - 1) * sizeof(*customer->contacts));
        customer->count--;
    }
    if (customer->count == customer->capacity) {
        size_t capacity = customer->capacity ? customer->capacity * 2 : 4;

        customer->contacts =
            or_die(reallocarray(customer->contacts, capacity, sizeof(*customer->contacts)));
        customer->capacity = capacity;
    }
    customer->contacts[customer->count++] =
        (struct contact){.moment_id = *moment_id, .started_at = started_at};
}

void customer_was_not_in(struct customer *customer, const struct id *moment_id)
{
    for (size_t i = 0; i < customer->count; i++) {
        if (memcmp(&customer->contacts[i].moment_id, moment_id, sizeof(*moment_id)) == 0) {
            customer->contacts[i] = customer->contacts[--customer->count];
            return;
        }
    }
}

uint32_t customer_contacts_before(const struct customer *customer, const struct id *moment_id,
                                  int64_t started_at, int64_t window_us)
{
    uint32_t count = 0;

    for (size_t i = 0; i < customer->count; i++) {
        const struct contact *contact = &customer->contacts[i];

        if (contact->started_at < started_at && contact->started_at >= started_at - window_us &&
            memcmp(&contact->moment_id, moment_id, sizeof(*moment_id)) != 0)
            count++;
    }
    return count;
}
