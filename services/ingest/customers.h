/* customers - who a customer is to us, and when they were in contact before: a bounded cache of the
 * customer table.
 *
 * An address is what a source calls a customer (a number, "ref:" and the source's own reference);
 * several addresses may be one customer. Loop thread only; out of memory ends the process. */
#ifndef MOMENT_INGEST_CUSTOMERS_H
#define MOMENT_INGEST_CUSTOMERS_H

#include "ingest/lookup.h"
#include "io/db.h"

struct contact {
    struct id moment_id;
    int64_t started_at;
};

struct customer {
    struct customer *next;
    struct id id;
    char text[ID_TEXT_SIZE];
    struct contact *contacts; /* owned */
    size_t count, capacity;
};

struct customer_address;

struct customers {
    struct lookup by_address;
    struct lookup by_id;
    struct customer *all;
    struct customer_address *addresses;
    size_t address_count;
};

void customers_clear(struct customers *customers);
/* Between transactions: start anew when it has grown too large. */
void customers_trim(struct customers *customers);
struct customer *customers_find(const struct customers *customers, const char *system,
                                const char *address);
struct customer *customers_by_id(const struct customers *customers, const char *id_text);
/* id null: a new random one. */
struct customer *customers_add(struct customers *customers, const char *system, const char *address,
                               const struct id *id);
/* Rows of store_read_customers. */
void customers_take_rows(struct customers *customers, const struct db_rows *rows);

void customer_was_in(struct customer *customer, const struct id *moment_id, int64_t started_at);
/* The moment turned out to be a part of another. */
void customer_was_not_in(struct customer *customer, const struct id *moment_id);
/* Other moments that started within window_us before this one. */
uint32_t customer_contacts_before(const struct customer *customer, const struct id *moment_id,
                                  int64_t started_at, int64_t window_us);

#endif
