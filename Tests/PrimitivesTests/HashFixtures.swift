import Primitives

/// Values computed with Python's `hashlib`.
enum HashFixtures {
    /// BLAKE2b-256 of `abc` in each domain.
    static let ofABC: [(HashDomain, String)] = [
        (.transaction, "011619be2ccbfd1feea9a6417fc66312b1309713e6af23ca28a643ae64cb5650"),
        (.address, "3ab091c92cf58b96f4dac6f34a61c960fa3a58a6e597989ca9a56ab688e9674d"),
        (.escrow, "d1108d1b661a0340bc6fbb0db1482863cc037bd4c89012d2bd79866008739c51"),
        (.asset, "fedcd665b6ca9f7b2e189ec927cb37bde039d45d1d80c32591a9a6158e71caee"),
        (.proposal, "5e4b366e5aed12d0272253b4e01a085b27cc3b90f5dc9fc3c40491410e940358"),
        (.bond, "c8f8d36fe821c40bf3b4dd3ed4f1f15985708d086f6844449d768533318e01b3"),
        (.genesis, "6edaf7a43590701051b7a188ea1159d3a208692f40156b3611b50147e9706983"),
        (.batch, "1c2fc71b4fe6ec98eb8c510218f7655917a7200bdc5165e008dbfa795781aa05"),
        (.batchTree, "f28aacdd4fb5c7223a7b61e18d815ab6923d03daf6f62310355c43d65a14218c"),
        (.canary, "ae7fc242d2a3195d2e7b62fdbda8e9c2ddaa5609d7af4e6c00150a815971335e"),
        (.assignment, "331aad5d9e0bfbd7033cd0d456d5ff4fc202ea75c7d569b53fff78503803a6a2"),
        (.complaint, "04a6a7708effdec316b35340daf3f6968cb8dea6c2df88c6161046c0fff24ecf"),
        (.evidence, "1c78853530ea72d213f38d063bb4318eba47af1f6f6a072aaa35df6c9fe6cbb6"),
        (.ack, "7503489b5496643d69ed7428e7dcfad7598ed997e141d835159198aecb8a9b3f"),
        (.block, "5954c08d05f8f95d3c79131175ca10170198b4e90f16dd9945dd82f604849b6f"),
        (.payload, "a7dc90205eecc69fbf4bbcd795bb1909d24e2736c97f474b082c093515d05e2d"),
        (.vote, "cfdf7fdf5ee70dbdd5f7c0b45f10772ec6834433af1faf517e558e8df6a177e1"),
        (.status, "c40742c59d499099a306174b86f80d5d9f711f802735d2b771a6475581136d6f"),
        (.committee, "b80bf4e646491d2b24c8e79c92122c8fdf14e3357655981ce133dd377d4c3d21"),
        (.epoch, "9d049d8b5f92a639db9c36490b88619e4eb05dc596b0e973c7f6441188c1c5fe"),
        (.seed, "a54ff93d44c8c9ffea9edc6d1c43cc4921323528165d45e488b564f3cbcc420e"),
        (.leader, "7715ab49dbcd9e1b83c6da14f96932933c0da1aca7089e8a8e128b1e8814e367"),
        (.shard, "1046825b455897bc5a114f784e5974bfa8df80aaddb3253c4d4da2197e9caedf"),
        (.owner, "8059c8a3acb7bc93f30914b6b94a5a219c29dcb8f68f514a6db5485bf7aeac77"),
        (.stateKey, "da4aea6ea1b57e36a6c9a88a3ebc3479c3f2040e10d856c4144ddbfc4862fae3"),
        (.stateValue, "44d6ab46682a8dd25a1e6d351172f88797d17653809f7c55765cb664adcab5ea"),
        (.stateLeaf, "351efde538f045eaca7ca5334912600c82015fabddd131d489df7723446944e4"),
        (.stateNode, "e6de896cc1541e5156fffcd44abc3fc0ee5d53e6563c57b54aaaf3303c870ec7"),
        (.receipt, "e311588c1672ce318abfb5fe5798b74b9acdc7010d63f291de91dc9c756d6e7f"),
        (.link, "c8cc326bbe9ffbde2ffcd95c4c73c145459b9c2d77ba448a6e0c183c2bcffa07"),
        (.peerRecord, "26a8182412a18f0a65b02710cbd6cbe901b604323dccdb56d5138822fe6709d8"),
        (.cookie, "a830d9dd0a3f92c33b4951b2d0d597c07bf981eef19d8c2563dde892cad3c4ce"),
        (.journal, "55b1afcbcb7476a0aa1d6dafc62b3041efdd69821481999aabeb342bb8fac69e"),
        (.keyFile, "f3793a8875c9ea1ee8dce04c78a1e7e602193943aeb011951c04ac10041b0b52"),
        (.random, "915f7c2a66f9b3f7340ffe29bcb0595e299b73d97e3eeb60e7f238811ef0baa9"),
        (.text, "ff0e8cf9611346698355c641150b1bcc623f86c0bbf62e3c7e83380ac706c9a1"),
    ]
    /// Of nothing, in `transaction`.
    static let ofNothing =
        "8b5728c3d3fbafb17024f0f18713cd93772a35116f6b9e39ee130aeb912e90e6"
    /// Of 32 bytes 1 and 32 bytes 2, in `stateNode`.
    static let ofPair =
        "27c6f1d91e7e188e9ce430511f300381ec77d9678a1a26a49be155b5446cb1bb"
    /// Of 1,000 bytes n mod 251, in `block`.
    static let ofThousand =
        "a95c20e24de64f3b698950c2b189388fb4e78c6e7d5d4cfe11dadd08c60bc2dc"
}
