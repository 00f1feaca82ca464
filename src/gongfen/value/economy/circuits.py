"""Which works go, through others, into themselves: the circuits of a network, in an order in which to value them."""

from collections.abc import Iterable, Mapping


def circuits(inputs: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Groups of nodes that reach each other; a group stands after all that it takes from. Most groups are one node.

    ``inputs`` names every node as a key.

    Strongly connected components (Tarjan, *Depth-first search and linear graph algorithms*, 1972), without recursion:
    a history of a hundred thousand versions is one long line.

    >>> circuits({"model": ["data", "text"], "data": ["model"], "poem": ["model"], "text": []})
    [('text',), ('data', 'model'), ('poem',)]
    """
    reached: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_nodes: list[str] = []
    still_open: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in inputs:
        if start in reached:
            continue
        path = [(start, iter(inputs[start]))]
        reached[start] = lowest[start] = len(reached)
        open_nodes.append(start)
        still_open.add(start)
        while path:
            node, rest = path[-1]
            following = next((one for one in rest if one not in reached or one in still_open), None)
            if following is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == reached[node]:
                    at = open_nodes.index(node) if open_nodes[-1] != node else len(open_nodes) - 1
                    group = open_nodes[at:]
                    del open_nodes[at:]
                    still_open.difference_update(group)
                    found.append(tuple(sorted(group)))
            elif following in reached:
                lowest[node] = min(lowest[node], reached[following])
            else:
                reached[following] = lowest[following] = len(reached)
                open_nodes.append(following)
                still_open.add(following)
                path.append((following, iter(inputs[following])))
    return found
