package verify

import (
	"crypto/sha256"
	"slices"
)

// proofHashesMax is the number of hashes in the longest proof: one for each of 53 levels, and where
// a consistency proof starts.
const proofHashesMax = 54

// emptyRoot is the root of the tree without leaves: the hash of nothing.
var emptyRoot = Hash(sha256.Sum256(nil))

// LeafHash is the leaf of a record in the Merkle log, RFC 9162 §2.1.1.
func LeafHash(recordHash, sealDigest Hash) Hash {
	return leafHash(slices.Concat(recordHash[:], sealDigest[:]))
}

func leafHash(entry []byte) Hash { return taggedHash("\x00", entry) }

func nodeHash(left, right Hash) Hash { return taggedHash("\x01", left[:], right[:]) }

// InclusionClaim says that a leaf is in a tree.
type InclusionClaim struct {
	LeafHash  Hash
	LeafIndex uint64
	// TreeSize and Root have to come from one signed header: a proof does not bind the size.
	TreeSize uint64
	Root     Hash
	Proof    [][]byte
}

// Inclusion says whether the proof holds, RFC 9162 §2.1.3.2.
func Inclusion(claim InclusionClaim) bool {
	if claim.TreeSize > safeMax || claim.LeafIndex >= claim.TreeSize || !isProof(claim.Proof) {
		return false
	}
	fn, sn, r := claim.LeafIndex, claim.TreeSize-1, claim.LeafHash
	for _, each := range claim.Proof {
		if sn == 0 {
			return false
		}
		p := Hash(each)
		if fn%2 == 1 || fn == sn {
			r = nodeHash(p, r)
			for fn%2 == 0 && fn != 0 {
				fn, sn = fn/2, sn/2
			}
		} else {
			r = nodeHash(r, p)
		}
		fn, sn = fn/2, sn/2
	}
	return sn == 0 && r == claim.Root
}

// ConsistencyClaim says that a tree begins with all leaves of an earlier one. Each root has to
// belong to its size.
type ConsistencyClaim struct {
	FromSize, ToSize uint64
	FromRoot, ToRoot Hash
	Proof            [][]byte
}

// Consistency says whether the proof holds, RFC 9162 §2.1.4.2. That covers 0 < FromSize < ToSize.
// Outside of that only an empty proof holds: between equal sizes with equal roots, and from size 0
// with the empty tree's root.
func Consistency(claim ConsistencyClaim) bool {
	from, to, proof := claim.FromSize, claim.ToSize, claim.Proof
	if to > safeMax || from > to || !isProof(proof) {
		return false
	}
	if from == 0 && claim.FromRoot != emptyRoot {
		return false
	}
	if from == to {
		return len(proof) == 0 && claim.FromRoot == claim.ToRoot
	}
	if from == 0 {
		return len(proof) == 0
	}
	if len(proof) == 0 {
		return false
	}
	fn, sn := from-1, to-1
	for fn%2 == 1 {
		fn, sn = fn/2, sn/2
	}
	// fn is 0 exactly when the earlier size is a power of two; then the proof starts from its root.
	start := claim.FromRoot
	if fn != 0 {
		start, proof = Hash(proof[0]), proof[1:]
	}
	fr, sr := start, start
	for _, each := range proof {
		if sn == 0 {
			return false
		}
		c := Hash(each)
		if fn%2 == 1 || fn == sn {
			fr, sr = nodeHash(c, fr), nodeHash(c, sr)
			for fn%2 == 0 && fn != 0 {
				fn, sn = fn/2, sn/2
			}
		} else {
			sr = nodeHash(sr, c)
		}
		fn, sn = fn/2, sn/2
	}
	return sn == 0 && fr == claim.FromRoot && sr == claim.ToRoot
}

func isProof(proof [][]byte) bool {
	if len(proof) > proofHashesMax {
		return false
	}
	for _, hash := range proof {
		if len(hash) != HashBytes {
			return false
		}
	}
	return true
}

// frontier is all that appending needs to know of a tree: its size, and the roots of its complete
// subtrees, biggest first, one for each 1 in the binary form of the size.
type frontier struct {
	size  uint64
	peaks []Hash
}

func (f frontier) append(leaves []Hash) frontier {
	peaks := slices.Clone(f.peaks)
	size := f.size
	for _, node := range leaves {
		for index := size; index%2 == 1; index /= 2 {
			node = nodeHash(peaks[len(peaks)-1], node)
			peaks = peaks[:len(peaks)-1]
		}
		peaks = append(peaks, node)
		size++
	}
	return frontier{size, peaks}
}

func (f frontier) root() Hash {
	if len(f.peaks) == 0 {
		return emptyRoot
	}
	root := f.peaks[len(f.peaks)-1]
	for i := len(f.peaks) - 2; i >= 0; i-- {
		root = nodeHash(f.peaks[i], root)
	}
	return root
}

// merkleRoot is the root over a list of byte strings.
func merkleRoot(entries [][]byte) Hash {
	leaves := make([]Hash, len(entries))
	for i, entry := range entries {
		leaves[i] = leafHash(entry)
	}
	return frontier{}.append(leaves).root()
}
