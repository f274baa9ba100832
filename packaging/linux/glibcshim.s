// The one function that Qt 6.8 for arm64 asks of glibc 2.30 and that 2.28 has not:
//
//   int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
//
// A point in time on any clock is turned into the same point on the wall clock, which pthread_cond_timedwait waits by:
//
//   if (clock == CLOCK_REALTIME) return pthread_cond_timedwait(cond, mutex, until);
//   struct timespec now, wall; clock_gettime(clock, &now); clock_gettime(CLOCK_REALTIME, &wall);
//   long ns = (until->tv_sec - now.tv_sec) * 1000000000L + (until->tv_nsec - now.tv_nsec);
//   if (ns < 0) ns = 0;
//   ns += wall.tv_nsec; wall.tv_sec += ns / 1000000000L; wall.tv_nsec = ns % 1000000000L;
//   return pthread_cond_timedwait(cond, mutex, &wall);
//
// Assembled as it is, so that no cross compiler with its own glibc stands between it and the target.
        .text
        .globl  pthread_cond_clockwait
        .type   pthread_cond_clockwait, %function
pthread_cond_clockwait:
        cbz     w2, 2f                          // CLOCK_REALTIME is 0: nothing to turn
        stp     x29, x30, [sp, #-80]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        str     x21, [sp, #32]
        mov     x19, x0                         // cond
        mov     x20, x1                         // mutex
        mov     x21, x3                         // until
        mov     w0, w2
        add     x1, sp, #48                     // now
        bl      clock_gettime
        mov     w0, #0
        add     x1, sp, #64                     // wall
        bl      clock_gettime
        mov     x9, #51712                      // 1000000000 = 0x3B9ACA00
        movk    x9, #15258, lsl #16
        ldp     x0, x1, [x21]
        ldp     x2, x3, [sp, #48]
        sub     x0, x0, x2
        sub     x1, x1, x3
        madd    x0, x0, x9, x1                  // ns
        cmp     x0, #0
        csel    x0, x0, xzr, ge
        ldp     x2, x3, [sp, #64]
        add     x0, x0, x3
        sdiv    x1, x0, x9
        add     x2, x2, x1
        msub    x3, x1, x9, x0
        stp     x2, x3, [sp, #64]
        mov     x0, x19
        mov     x1, x20
        add     x2, sp, #64
        bl      pthread_cond_timedwait
        ldp     x19, x20, [sp, #16]
        ldr     x21, [sp, #32]
        ldp     x29, x30, [sp], #80
        ret
2:      mov     x2, x3
        b       pthread_cond_timedwait
        .size   pthread_cond_clockwait, .-pthread_cond_clockwait
        .section .note.GNU-stack,"",%progbits
