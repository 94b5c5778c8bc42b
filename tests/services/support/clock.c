// Lets a test set the clock of one process: what its clock says is that of the
// host plus the microseconds in the file that TEST_CLOCK names.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) {
        _exit(99);
    }
    shift = at;
}

int clock_gettime(clockid_t which, struct timespec *told) {
    int failed = (int)syscall(SYS_clock_gettime, which, told);
    if (failed == 0 && shift && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        int64_t nanos = told->tv_nsec + *shift % 1000000 * 1000;
        told->tv_sec += *shift / 1000000 + (nanos >= 1000000000) - (nanos < 0);
        told->tv_nsec = (nanos + 1000000000) % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *told, void *zone) {
    (void)zone;
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    told->tv_sec = now.tv_sec;
    told->tv_usec = now.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) {
        *told = now.tv_sec;
    }
    return now.tv_sec;
}
