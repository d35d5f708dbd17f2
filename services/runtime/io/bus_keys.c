/* bus_keys - new CURVE key pairs, apart from the bus so that making keys needs nothing else. */
#include "io/bus.h"

#include <assert.h>
#include <zmq.h>

void bus_new_keys(char public_key[41], char secret_key[41])
{
    /* Fails only if libzmq was built without CURVE: a broken installation. */
    int made = zmq_curve_keypair(public_key, secret_key);
    assert(made == 0);
    (void)made;
}
