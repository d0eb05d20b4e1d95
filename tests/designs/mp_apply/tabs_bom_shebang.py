#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Written in an old editor: a byte order mark, a shebang line, tabs, lines that end in CR LF. Ümläute."""
import multiprocessing as mp, pickle
from multiprocessing.connection import wait


def calculate(func, args):
	return(func(*args))


def worker(input, output):
	for func, args in iter(input.get, 'STOP'):
		result = calculate(func, args)
		output.put(result)


def worker2(conn):
	for func, args in iter(conn.recv, 'STOP'):
		try:
			answer = pickle.dumps((1, calculate(func, args)))
		except BaseException as e:
			answer = pickle.dumps((0, type(e).__name__ + ': ' + str(e)))
		conn.send_bytes(answer)


def mp_apply(tasks, n_processes = 2):
	"""
	Compute tasks in parallel.

	Parameters
	----------
	tasks - list of tuples.
	n_processes - int, optional.

	Returns
	-------
	The unordered results of the computed tasks.
	"""
	tasks = list(tasks)
	conns, procs, results, error = [], [], [], ''

	# start processes
	for i in range(min(n_processes, len(tasks))):
		c, d = mp.Pipe()
		p = mp.Process(target=worker2, args=(d, ))
		p.start()
		d.close()
		conns.append(c)
		procs.append(p)

	# one task for everybody
	for c in conns:
		c.send(tasks.pop(0))

	# get unordered results
	busy = list(conns)
	while busy and not error:
		for c in wait(busy):
			try:
				ok, value = pickle.loads(c.recv_bytes())
			except (EOFError, OSError):
				error = 'worker died'
				break
			if not ok:
				error = value
				break
			results.append(value)
			if tasks:
				c.send(tasks.pop(0))
			else:
				busy.remove(c)

	# stop child processes
	for c in conns:
		try:
			c.send('STOP')
		except OSError:
			pass
	for c, p in zip(conns, procs):
		try:
			while c.poll(2 if error else None):
				c.recv_bytes()
			p.terminate()
		except (EOFError, OSError):
			pass
		p.join()
		p.close()
		c.close()
	if error:
		raise RuntimeError(error)
	return(results)
