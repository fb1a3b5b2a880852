/*
 * Eight threads with all that POSIX gives them; what is printed does not depend on who came first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 500, ITEMS = 400, ROOM = 5, STEPS = 10 };

static void each(const char *what, void *(*run)(void *)) {
    pthread_t threads[THREADS];
    long sum = 0;
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], 0, run, (void *)i)) exit(2);
    for (long i = 0; i < THREADS; i++) {
        void *result;
        if (pthread_join(threads[i], &result)) exit(3);
        sum += (long)result;
    }
    printf("%s %ld\n", what, sum);
}

/* A counter under a mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count(void *number) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        long seen = counter;
        if (i % 100 == 0) sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return number;
}

/* A queue with little room: even threads produce, odd ones consume. */
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], in, out;

static void *queueing(void *number) {
    long sum = 0, producer = !((long)number % 2);
    for (int i = 1; i <= ITEMS / (THREADS / 2); i++) {
        pthread_mutex_lock(&mutex);
        if (producer) {
            while (in - out == ROOM) pthread_cond_wait(&emptied, &mutex);
            queue[in++ % ROOM] = i;
            pthread_cond_signal(&filled);
        } else {
            while (in == out) pthread_cond_wait(&filled, &mutex);
            sum += queue[out++ % ROOM];
            pthread_cond_signal(&emptied);
        }
        pthread_mutex_unlock(&mutex);
    }
    return (void *)sum;
}

/* In each step all write, then all read what all wrote. */
static pthread_barrier_t barrier;
static int board[THREADS];

static void *inSteps(void *number) {
    long sum = 0;
    for (int step = 0; step < STEPS; step++) {
        board[(long)number] = step;
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < THREADS; i++) sum += board[i] == step;
        pthread_barrier_wait(&barrier);
    }
    return (void *)sum;
}

/* Variables of a thread, of both kinds; the destructor of one runs at its end. */
static __thread int own = 7;
static pthread_key_t key;
static atomic_int destroyed;

static void destroy(void *value) { destroyed += (int)(long)value; }

static void *ownVariables(void *number) {
    own += (int)(long)number;
    pthread_setspecific(key, (void *)((long)number + 1));
    for (int i = 0; i < 10; i++) sched_yield();
    return (void *)(long)(own + (long)pthread_getspecific(key));
}

/* Readers see both halves alike. */
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int left, right;

static void *readAndWrite(void *number) {
    long alike = 0;
    for (int i = 0; i < 100; i++)
        if ((long)number < 2) {
            pthread_rwlock_wrlock(&rwlock);
            left++;
            right++;
            pthread_rwlock_unlock(&rwlock);
        } else {
            pthread_rwlock_rdlock(&rwlock);
            alike += left == right;
            pthread_rwlock_unlock(&rwlock);
        }
    return (void *)alike;
}

/* No more than three are within. */
static sem_t three;
static atomic_int within, most;

static void *passThree(void *number) {
    for (int i = 0; i < 20; i++) {
        while (sem_wait(&three) && errno == EINTR) {
        }
        int now = ++within;
        if (now > 3) most = now;
        within--;
        sem_post(&three);
    }
    return (void *)(long)most;
}

/* Each gets a signal that is for it alone. */
static __thread volatile sig_atomic_t got;

static void handler(int signal) { got++; }

static void *signalled(void *number) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    pthread_kill(pthread_self(), SIGUSR1);
    while (!got) sigsuspend(&old);
    pthread_barrier_wait(&barrier);
    return (void *)(long)got;
}

static void cleanUp(void *text) { puts(text); }

static void *cancelled(void *number) {
    pthread_cleanup_push(cleanUp, "cleaned up");
    for (;;) pause();
    pthread_cleanup_pop(0);
}

int main(void) {
    each("numbers", count);
    printf("counter %ld\n", counter);
    each("queued", queueing);
    pthread_barrier_init(&barrier, 0, THREADS);
    each("steps", inSteps);
    pthread_key_create(&key, destroy);
    each("own", ownVariables);
    printf("destroyed %d, own %d\n", destroyed, own);
    each("alike", readAndWrite);
    sem_init(&three, 0, 3);
    each("too many", passThree);
    signal(SIGUSR1, handler);
    each("signals", signalled);
    pthread_t thread;
    void *result;
    pthread_create(&thread, 0, cancelled, 0);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled %d\n", result == PTHREAD_CANCELED);
    return 0;
}
