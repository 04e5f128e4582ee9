/*
 * clients.c - who is connected, and who takes too long to say what he wants. A client that sends a byte now and then
 * is never idle, and would keep its thread for ever: so a whole request, from its first byte to its last,
 * has to be there within a time, which begins when the connection is made or the last response is under way.
 * Late clients' sockets are shut down; libmicrohttpd notices and ends the connection.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "serve.h"

struct Client {
    Client *next, **place; /* in the list */
    int socket;            /* libmicrohttpd's: open as long as this is listed */
    uint64_t since;        /* nanoseconds: waiting for a request; 0: it is here, or too late */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Client *clients;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

Client *client_add(int socket) {
    Client *client = calloc(1, sizeof *client);
    if (!client) return NULL; /* it may be slow, then */
    client->socket = socket;
    client->since = now();
    pthread_mutex_lock(&lock);
    client->next = clients;
    client->place = &clients;
    if (clients) clients->place = &client->next;
    clients = client;
    pthread_mutex_unlock(&lock);
    return client;
}

void client_remove(Client *client) {
    if (!client) return;
    pthread_mutex_lock(&lock);
    *client->place = client->next;
    if (client->next) client->next->place = client->place;
    pthread_mutex_unlock(&lock);
    free(client);
}

void client_waits(Client *client, bool for_request) {
    if (!client) return;
    pthread_mutex_lock(&lock);
    client->since = for_request ? now() : 0;
    pthread_mutex_unlock(&lock);
}

void clients_end_late(void) {
    uint64_t time = now();
    pthread_mutex_lock(&lock);
    for (Client *client = clients; client; client = client->next) {
        if (!client->since || time - client->since < settings.client_timeout) continue;
        client->since = 0;
        (void)shutdown(client->socket, SHUT_RDWR);
        metrics_late++;
    }
    pthread_mutex_unlock(&lock);
}
