// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Gives TCP keepalive to the connections of selected network namespaces, inside the kernel.
 *
 *   born    sock_ops, on a control group: a connection gets its values in the moment in which it is established.
 *   open    iter/tcp, read inside a network namespace: what is open already gets them. It walks the hash table of the whole
 *           machine and takes the lock of each socket, which a program can hold for ever.
 *   known   iter/bpf_sk_storage_map, read anywhere: tells every connection that one of the two has met and could mark, of all
 *           network namespaces. It walks nothing else and takes no lock of a socket.
 *
 * Values only become smaller, keepalive is never turned off, loopback is left alone. What is enough, and what is given
 * where it is not, is decided as in policy/connection.ts and policy/enough.ts: one table of cases goes through both.
 *
 * Iterators and typed pointers are for programs that name a licence like this one; no text of the kernel's is in it. The rest
 * of the product is Apache-2.0.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

char terms[] SEC("license") = "Dual BSD/GPL";

/* ---- What is read of the kernel, by name: offsets are those of the kernel that it is loaded on. ---- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct netns_ipv4 {
	int sysctl_tcp_keepalive_time, sysctl_tcp_keepalive_intvl;
	__u8 sysctl_tcp_keepalive_probes;
};
struct net {
	struct netns_ipv4 ipv4;
	__u64 net_cookie;
};
typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};
struct sock_common {
	__be32 skc_daddr;
	__be16 skc_dport;
	__u16 skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	unsigned long skc_flags;
};

struct kernfs_node {
	__u64 id;
	struct kernfs_node *__parent;
};
struct kernfs_node___earlier { /* before Linux 6.15 */
	struct kernfs_node *parent;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct hlist_node {
	struct hlist_node **pprev;
};
struct timer_list {
	struct hlist_node entry;
	unsigned long expires;
};
struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
};
/* The timer of keepalive moved from the one to the other in Linux 6.19, and in stable branches of earlier ones. */
struct sock___earlier {
	struct timer_list sk_timer;
};
struct inet_connection_sock___later {
	struct timer_list icsk_keepalive_timer;
};
struct inet_connection_sock {
	__u32 icsk_user_timeout;
};
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	/* In jiffies; 0: as the network namespace has it. */
	__u32 keepalive_time, keepalive_intvl;
	__u8 keepalive_probes;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct sock *sk;
	void *value;
};

#pragma clang attribute pop

/* Bits of skc_flags. */
enum { SOCK_DEAD = 0, SOCK_KEEPOPEN = 3 };

#define AF_INET6 10
#define SOL_SOCKET 1
#define SO_KEEPALIVE 9
#define SOL_TCP 6
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6

enum { ESTABLISHED = 1, FIN_WAIT2 = 5, CLOSE_WAIT = 8 };

/* ---- What is shared with user space: connection-layout.ts has the same. ---- */

/* Seconds and numbers; what follows from a timeout is worked out outside. */
struct wanted {
	__u32 idle_timeout; /* 0: connections are told, and none is changed */
	__u32 second_probe; /* the latest second in which it is due */
	__u32 time, interval, probes;
	/* Declared by policies, so nothing may be above; the largest number where none is. */
	__u32 most_time, most_interval, most_probes;
	__u32 hertz; /* jiffies a second, which no helper tells */
	__u32 flags;
	__u64 seal; /* of the key and of all above: see ordered_for */
};
/* The control groups above a socket are asked first: for the network of the host. */
#define ASK_GROUPS 1
/* None of it is told, nor changed. */
#define LEAVE 2
/* Its connections are marked, so that `known` tells them: that costs each some memory and a microsecond. */
#define TELL 4

/* By cookie of a network namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct wanted);
} networks SEC(".maps");

/* By inode number of a folder of control groups v2. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct wanted);
} groups SEC(".maps");

/* On each socket that is told, since when, in nanoseconds of CLOCK_MONOTONIC: gone with it. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 0);
	__type(key, int);
	__type(value, __u64);
} marks SEC(".maps");

/* Who has connections: the cookie of their network namespace, and the key in `groups` or 0. */
struct owner {
	__u64 network, group;
};

/*
 * Who has connections that could not be marked, so that `known` does not tell all of them, and when that was seen last: a mark is
 * charged to the memory of its socket for options (net.core.optmem_max), of which a large filter may have left none.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct owner);
	__type(value, __u64);
} unmarked SEC(".maps");

struct told {
	__u64 network;
	/* The key in `groups` that its values come from; 0 for none. */
	__u64 group;
	__be32 peer[4];
	__u32 time, interval; /* jiffies */
	__s32 timer;	      /* jiffies until it expires; negative: none runs */
	__u32 user_timeout;   /* milliseconds */
	__u16 peer_port;
	__u8 state, flags, probes;
	__u8 padding[3];
	/* By `known` alone: the cookie of the socket, and its mark. */
	__u64 socket, marked;
};
#define KEEPALIVE 1
#define REPAIRED 2
#define LOOPBACK 4

/* ---- One socket. ---- */

static __always_inline void read_peer(const struct sock_common *skc, __be32 peer[4])
{
	if (skc->skc_family == AF_INET6) {
		peer[0] = skc->skc_v6_daddr.in6_u.u6_addr32[0];
		peer[1] = skc->skc_v6_daddr.in6_u.u6_addr32[1];
		peer[2] = skc->skc_v6_daddr.in6_u.u6_addr32[2];
		peer[3] = skc->skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		peer[0] = 0;
		peer[1] = 0;
		peer[2] = bpf_htonl(0xffff);
		peer[3] = skc->skc_daddr;
	}
}

/* Nothing that forgets stands between such ends. */
static __always_inline bool is_loopback(const __be32 peer[4])
{
	if (peer[0] | peer[1])
		return false;
	if (peer[2] == bpf_htonl(0xffff))
		return (peer[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return peer[2] == 0 && peer[3] == bpf_htonl(1);
}

/* Inlined into a loop, the offset of a field that the kernel does not have would be asked for outside of the question whether it has. */
static __noinline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___earlier *earlier = (void *)node;

	if (bpf_core_field_exists(earlier->parent))
		return earlier->parent;
	return node->__parent;
}

/* kubelet's root / quality of service / pod / container, and whatever a container makes below. */
#define GROUP_DEPTH 16

/* connection-layout.ts, sealed */
#define SEALED_WORDS (__builtin_offsetof(struct wanted, seal) / sizeof(__u32))
#define SEAL_FACTOR 0x9e3779b97f4a7c15ULL
#define LOOKUPS 3

/*
 * Copies what is ordered for a key; false where nothing is. A map gives the memory of an order that was replaced or withdrawn to the next
 * one, of whichever key that is, while a program on another processor reads it: preallocated maps always do, and others
 * (BPF_F_NO_PREALLOC) since Linux 6.1. So what was read counts only where its seal says that it is whole and of this key. That holds
 * whatever the order in which a processor sees what another one writes, and however long this one was interrupted.
 */
static __always_inline bool ordered_for(void *map, __u64 key, struct wanted *copy)
{
	for (__u32 lookups = 0; lookups < LOOKUPS; lookups++) {
		/* Volatile: what the seal is worked out from is what is used, and not read again. */
		const volatile struct wanted *found = bpf_map_lookup_elem(map, &key);
		const volatile __u32 *words = (const volatile __u32 *)found;
		__u64 seal = key;

		if (!found)
			return false;
#pragma unroll
		for (__u32 at = 0; at < SEALED_WORDS; at++) {
			__u32 word = words[at];

			((__u32 *)copy)[at] = word;
			seal = (seal ^ word) * SEAL_FACTOR;
		}
		if (seal == found->seal)
			return true;
	}
	/* Replaced each time: whoever does that has the connections swept. */
	copy->flags = LEAVE;
	return true;
}

/* False: it is no business of ours. */
static __always_inline bool wanted_by(struct sock *sk, struct wanted *wanted, __u64 *group)
{
	__u64 cookie = sk->__sk_common.skc_net.net->net_cookie;
	struct kernfs_node *node = NULL;
	struct wanted of_group;

	*group = 0;
	if (!ordered_for(&networks, cookie, wanted))
		return false;
	if (wanted->flags & ASK_GROUPS)
		node = sk->sk_cgrp_data.cgroup->kn;
	for (int depth = 0; depth < GROUP_DEPTH && node; depth++) {
		__u64 id = node->id;

		if (ordered_for(&groups, id, &of_group)) {
			*group = id;
			*wanted = of_group;
			break;
		}
		node = parent_of(node);
	}
	return !(wanted->flags & LEAVE);
}

struct held {
	bool on;
	__u32 time, interval; /* jiffies */
	__u32 probes;
	__s32 timer;
};

static __always_inline void read_held(struct tcp_sock *tp, struct held *held)
{
	struct sock *sk = (struct sock *)tp;
	struct sock___earlier *earlier = (void *)tp;
	struct inet_connection_sock___later *later = (void *)tp;
	struct netns_ipv4 *of_network = &sk->__sk_common.skc_net.net->ipv4;

	held->on = sk->__sk_common.skc_flags >> SOCK_KEEPOPEN & 1;
	held->time = tp->keepalive_time ?: of_network->sysctl_tcp_keepalive_time;
	held->interval = tp->keepalive_intvl ?: of_network->sysctl_tcp_keepalive_intvl;
	held->probes = tp->keepalive_probes ?: of_network->sysctl_tcp_keepalive_probes;
	held->timer = -1;
	/* The later one first: kernels that have it may keep a field of the earlier name, for another timer. */
	if (bpf_core_field_exists(later->icsk_keepalive_timer)) {
		if (later->icsk_keepalive_timer.entry.pprev)
			held->timer = later->icsk_keepalive_timer.expires - bpf_jiffies64();
	} else if (earlier->sk_timer.entry.pprev) {
		held->timer = earlier->sk_timer.expires - bpf_jiffies64();
	}
}

struct triple {
	__u32 time, interval, probes; /* seconds, seconds, a number */
};

/* What the kernel has where nobody chose a number of probes, and the most that we give. */
#define KERNEL_PROBES 9
#define FEWEST_PROBES 2
/* The most that a socket takes as its own, where a network may have more: include/net/tcp.h, MAX_TCP_KEEPIDLE and the two after it. */
#define MOST_SECONDS 32767
#define MOST_PROBES 127

/* policy/enough.ts, meets */
static __always_inline bool meets(const struct triple *own, const struct wanted *wanted)
{
	if (own->time < 1 || own->interval < 1 || own->probes < FEWEST_PROBES)
		return false;
	if ((__u64)own->time + own->interval > wanted->second_probe)
		return false;
	return own->time <= wanted->most_time && own->interval <= wanted->most_interval &&
	       own->probes <= wanted->most_probes;
}

static __always_inline __u32 smaller(__u32 own, __u32 ours)
{
	return own && own < ours ? own : ours;
}

static __always_inline __u32 at_least(__u32 one, __u32 other)
{
	return one < other ? other : one;
}

static __always_inline __u32 at_most(__u32 one, __u32 other)
{
	return one > other ? other : one;
}

/* How many of `one` what is left of the idle timeout after the time takes. */
static __always_inline __u32 rounds(__u32 idle_timeout, __u32 time, __u32 one)
{
	__u32 rest = idle_timeout > time ? idle_timeout - time : 0;

	return (rest + one - 1) / at_least(one, 1);
}

/* api/derive.ts, patientProbes */
static __always_inline __u32 patient_probes(__u32 time, __u32 interval, __u32 idle_timeout)
{
	return at_least(at_most(rounds(idle_timeout, time, interval), KERNEL_PROBES), FEWEST_PROBES);
}

/* policy/enough.ts, amend: false where its own are enough */
static __always_inline bool amend(const struct triple *own, const struct wanted *wanted, struct triple *given)
{
	__u32 chosen = own->probes == KERNEL_PROBES ? wanted->probes : own->probes;

	if (meets(own, wanted)) {
		*given = *own;
		return false;
	}
	given->time = smaller(own->time, wanted->time);
	given->interval = smaller(own->interval, wanted->interval);
	given->probes =
		at_most(at_least(chosen, patient_probes(given->time, given->interval, wanted->idle_timeout)),
			wanted->most_probes);
	return true;
}

/* policy/connection.ts, lostProbes */
static __always_inline __u32 lost_probes(const struct triple *values, __u32 user_timeout)
{
	__u64 time = (__u64)values->time * 1000, interval = (__u64)at_least(values->interval, 1) * 1000;

	if (!user_timeout)
		return values->probes;
	if (user_timeout <= time)
		return 1;
	return at_least((user_timeout - time + interval - 1) / interval, 1);
}

/* policy/connection.ts, tighten: false where nothing has to be given, or where the program's own timeout would then end it sooner */
static __always_inline bool is_owed(const struct held *held, const struct wanted *wanted, __u32 user_timeout,
				    struct triple *given)
{
	__u32 hertz = at_least(wanted->hertz, 1);
	struct triple own = { held->time / hertz, held->interval / hertz, held->probes };
	struct triple ours = { wanted->time, wanted->interval, wanted->probes };
	/* A changed sysctl reaches an open socket only when the timer that was armed before has expired. Between two probes it is the interval's. */
	bool is_armed_longer = held->on && held->timer > (__s32)(at_least(held->time, held->interval) + hertz);
	bool is_amended = amend(&own, wanted, given);
	__u32 before;

	if (!wanted->idle_timeout || (held->on && !is_armed_longer && !is_amended))
		return false;
	given->time = at_most(given->time, MOST_SECONDS);
	given->interval = at_most(given->interval, MOST_SECONDS);
	given->probes = at_most(given->probes, MOST_PROBES);
	if (!user_timeout)
		return true;
	before = held->on ? lost_probes(&own, user_timeout) : ours.probes;
	return lost_probes(given, user_timeout) >= at_most(before, ours.probes);
}

/* One that has a mark keeps it. `socket` is what the helper takes there. */
static __always_inline void mark(void *socket, const struct tcp_sock *tp, __u64 group)
{
	const struct sock_common *skc = (const struct sock_common *)tp;
	struct owner owner = { .group = group };
	__u64 now = bpf_ktime_get_ns(), *last;

	if (bpf_sk_storage_get(&marks, socket, &now, BPF_SK_STORAGE_GET_F_CREATE))
		return;
	owner.network = skc->skc_net.net->net_cookie;
	last = bpf_map_lookup_elem(&unmarked, &owner);
	if (last)
		*last = now;
	else
		bpf_map_update_elem(&unmarked, &owner, &now, BPF_ANY);
}

static __always_inline long set(void *where, int level, int name, int value)
{
	return bpf_setsockopt(where, level, name, &value, sizeof(value));
}

/* policy/spread.ts, less: by chance */
static __always_inline __u32 less(__u32 seconds, __u32 least)
{
	return seconds > least ? seconds - bpf_get_prandom_u32() % (seconds - least + 1) : seconds;
}

static __always_inline __u32 least_share(__u32 ours)
{
	return ours - ours / 4;
}

/*
 * Sockets that are given the same at once would speak at once ever after, and lose each other's probes: policy/spread.ts.
 * Setting the time arms the timer anew, reckoned from the last packet: so it comes last.
 */
static __always_inline void give(void *where, const struct triple *values, const struct wanted *wanted)
{
	__u32 most = at_least(values->probes, at_most(KERNEL_PROBES, wanted->most_probes));
	__u32 time = less(values->time, least_share(wanted->time));
	__u32 reaching = rounds(wanted->idle_timeout, time, most);
	__u32 interval = less(values->interval, at_least(least_share(wanted->interval), reaching));
	__u32 patient = at_least(values->probes, patient_probes(time, interval, wanted->idle_timeout));

	set(where, SOL_TCP, TCP_KEEPINTVL, interval);
	set(where, SOL_TCP, TCP_KEEPCNT, at_most(patient, most));
	set(where, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(where, SOL_TCP, TCP_KEEPIDLE, time);
}

/* ---- The programs. ---- */

SEC("sockops")
int born(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *here;
	struct tcp_sock *tp;
	struct wanted wanted;
	__be32 peer[4];
	struct held held;
	struct triple given;
	__u64 group;

	if (ctx->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	here = ctx->sk;
	if (!here)
		return 1;
	tp = bpf_skc_to_tcp_sock(here);
	if (!tp)
		return 1;
	if (!wanted_by((struct sock *)tp, &wanted, &group))
		return 1;
	read_peer((struct sock_common *)tp, peer);
	if (is_loopback(peer))
		return 1;
	if (wanted.flags & TELL)
		mark(here, tp, group);
	read_held(tp, &held);
	if (is_owed(&held, &wanted, tp->inet_conn.icsk_user_timeout, &given))
		give(ctx, &given, &wanted);
	return 1;
}

/* False for one that is being opened or closed. */
static __always_inline bool tell(struct tcp_sock *tp, const struct held *held, struct told *told)
{
	struct sock_common *skc = (struct sock_common *)tp;

	told->state = skc->skc_state;
	if (told->state != ESTABLISHED && told->state != CLOSE_WAIT && told->state != FIN_WAIT2)
		return false;
	/* Nobody has it any more: its timer is another one now. */
	if (skc->skc_flags >> SOCK_DEAD & 1)
		return false;
	read_peer(skc, told->peer);
	told->peer_port = bpf_ntohs(skc->skc_dport);
	told->time = held->time;
	told->interval = held->interval;
	told->probes = held->probes;
	told->timer = held->timer;
	told->user_timeout = tp->inet_conn.icsk_user_timeout;
	told->network = skc->skc_net.net->net_cookie;
	told->flags = (held->on ? KEEPALIVE : 0) | (is_loopback(told->peer) ? LOOPBACK : 0);
	return true;
}

SEC("iter/tcp")
int open(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	struct held held;
	struct triple given;
	struct wanted wanted;
	struct told told = {};
	bool owed;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	if (!wanted_by((struct sock *)tp, &wanted, &told.group))
		return 0;
	read_held(tp, &held);
	if (!tell(tp, &held, &told) || told.flags & LOOPBACK)
		return 0;
	owed = is_owed(&held, &wanted, told.user_timeout, &given);
	if (owed)
		told.flags |= REPAIRED;
	/* Without room this socket is shown again by the next read: so nothing is done to it before it is told. */
	if (bpf_seq_write(ctx->meta->seq, &told, sizeof(told)))
		return 0;
	if (owed)
		give(tp, &given, &wanted);
	if (wanted.flags & TELL)
		mark(tp, tp, told.group);
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int known(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	__u64 *marked = ctx->value;
	struct tcp_sock *tp;
	struct held held;
	struct wanted wanted;
	struct told told = {};

	if (!sk || !marked)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	/* What nobody asks about any more keeps its mark. */
	if (!tp || !wanted_by((struct sock *)tp, &wanted, &told.group))
		return 0;
	read_held(tp, &held);
	told.socket = bpf_get_socket_cookie(tp);
	told.marked = *marked;
	if (tell(tp, &held, &told))
		bpf_seq_write(ctx->meta->seq, &told, sizeof(told));
	return 0;
}
