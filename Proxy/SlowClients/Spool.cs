using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Bytes of one body that wait for whoever takes them: in memory at first, in a file what goes beyond.</summary>
/// <remarks>
/// <para>
/// A queue of pieces. One fills the last piece, and another one takes from the first; they may be on different threads. Pieces that are full go to the file where the memory of
/// the body is used up, or that of all bodies is scarce, and are brought back when it is their turn. The place of a piece that was taken is used again, so the file never becomes longer than
/// what waits at once.
/// </para>
/// <para>Where there is neither memory nor a file there is no room, and whoever fills it waits until something was taken.</para>
/// </remarks>
/// <param name="store">What all bodies have together.</param>
/// <param name="memory">Bytes of this body that may stay in memory.</param>
/// <param name="limit">Bytes that may wait.</param>
/// <param name="room">Told when there may be room again.</param>
/// <param name="loop">Where whoever takes from it waits.</param>
[SuppressMessage("Usage", "CA2213", Justification = "The file is closed once nothing is written to it any more.")]
internal sealed class Spool(BufferStore store, long memory, long limit, LoopSignal room, EventLoop loop) : IDisposable
{
    /// <summary>Bytes of a piece; the first one may be smaller.</summary>
    public const int PieceSize = 32 << 10;

    private const int LeastSize = 4 << 10;

    // What may be on its way to the file in any case: so much that the disk's threads have always something to do.
    private const int MostWriting = 8;

    private readonly Lock _lock = new();
    private readonly Lock _opening = new();
    private readonly Queue<Piece> _pieces = new();
    private readonly Stack<long> _freePlaces = new();
    private readonly LoopSignal _loaded = new(loop);
    private Piece? _last;
    private SpoolFile? _file;
    private long _fileLength;
    private long _waiting;
    private int _inMemory;
    private int _writing;
    private int _sinceTurn;
    private bool _hasReserve;
    private bool _hasNoFile;
    private bool _isDisposed;

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _waiting == 0;
            }
        }
    }

    /// <summary>Whether pieces are on their way to the file, so that there is room again without anything being taken.</summary>
    public bool IsWriting
    {
        get
        {
            lock (_lock)
            {
                return _writing > 0;
            }
        }
    }

    /// <summary>Where the next bytes go; empty: see <see cref="TryMakeRoom"/>.</summary>
    public Memory<byte> Room => _last is { IsFull: false } last ? last.Bytes.AsMemory(last.End, last.Size - last.End) : default;

    /// <summary>Says that the first bytes of <see cref="Room"/> were filled.</summary>
    public void Filled(int count)
    {
        lock (_lock)
        {
            _last!.End += count;
            _waiting += count;
        }
    }

    /// <summary>Makes <see cref="Room"/> for at least one byte.</summary>
    /// <param name="expected">Bytes that are known to come.</param>
    /// <returns><see langword="false"/>: there is none before something was taken or written.</returns>
    public bool TryMakeRoom(long expected = PieceSize)
    {
        lock (_lock)
        {
            if (!Room.IsEmpty)
            {
                return true;
            }

            var size = _pieces.Count == 0 ? SizeFor(expected) : PieceSize;
            if (_waiting >= limit || !FitsMemory(size) || !store.TryTakeMemory(size))
            {
                return false;
            }

            _inMemory += size;
            _last = new Piece(store.Pieces.Rent(size), size);
            _pieces.Enqueue(_last);
            return true;
        }
    }

    /// <summary>The first bytes that wait, where they are in memory; they stay as they are until <see cref="Take"/>.</summary>
    /// <returns><see langword="false"/>: nothing waits, or it has to be brought back first: <see cref="LoadAsync"/>.</returns>
    public bool TryPeek(out ReadOnlyMemory<byte> bytes)
    {
        lock (_lock)
        {
            var isThere = _waiting > 0 && _pieces.Peek() is { IsInFile: false };
            bytes = isThere ? _pieces.Peek().Waiting : default;
            return isThere;
        }
    }

    /// <summary>Brings the first bytes that wait back into memory.</summary>
    /// <exception cref="IOException">They can't be read.</exception>
    public async ValueTask LoadAsync()
    {
        Piece first;
        lock (_lock)
        {
            first = _pieces.Peek();
            first.IsInReserve = true;
            first.Bytes = store.Pieces.Rent(first.Size);
        }

        store.Readers.Post(() => Load(first));
        while (Volatile.Read(ref first.IsInFile) && first.Failure is null)
        {
            await _loaded.WaitAsync();
        }

        if (first.Failure is { } failure)
        {
            throw new IOException(failure.Message, failure);
        }
    }

    /// <summary>Says that the first bytes that wait were taken.</summary>
    public void Take(int count)
    {
        lock (_lock)
        {
            var first = _pieces.Peek();
            first.Start += count;
            _waiting -= count;
            if (first.Start == first.Size)
            {
                _pieces.Dequeue();
                Release(first);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _last = null;
            while (_pieces.TryDequeue(out var piece))
            {
                Release(piece);
            }

            CloseFileIfUnused();
        }
    }

    // As the pool has them, so that what is counted is what is used.
    private static int SizeFor(long expected) => expected >= PieceSize ? PieceSize : Math.Max(LeastSize, (int)BitOperations.RoundUpToPowerOf2((uint)expected));

    private bool FitsMemory(int size)
    {
        var isTooMuch = _inMemory + size > (store.IsScarce ? 0 : memory);
        if (isTooMuch && !TrySpillLast())
        {
            return _inMemory + size <= memory;
        }

        return _writing < MostWriting || (store.HasMemoryToSpare && !LetsOthersGoFirst());
    }

    // What comes faster than the disk takes it could keep its event loop to itself: others have their turns between.
    private bool LetsOthersGoFirst()
    {
        if (++_sinceTurn % MostWriting != 0)
        {
            return false;
        }

        room.Signal();
        return true;
    }

    // The first piece stays, for it is the next to be taken.
    private bool TrySpillLast()
    {
        if (_last is not { } last || last.IsWriting || last.IsInFile)
        {
            return _last is not null;
        }

        if (_hasNoFile || last == _pieces.Peek() || !TryFindPlace(out var place))
        {
            return false;
        }

        if (!TryReserve())
        {
            _freePlaces.Push(place);
            return false;
        }

        (last.IsWriting, last.Place) = (true, place);
        _writing++;
        store.Writers.Post(() => Write(last));
        return true;
    }

    // Memory for the piece that is brought back, one at a time: bringing it back needs no more than what there is.
    private bool TryReserve() => _hasReserve = _hasReserve || store.TryTakeMemory(PieceSize);

    private bool TryFindPlace(out long place)
    {
        if (_freePlaces.TryPop(out place))
        {
            return true;
        }

        if (!store.TryTakeDisk(PieceSize))
        {
            return false;
        }

        place = _fileLength;
        _fileLength += PieceSize;
        return true;
    }

    private void Write(Piece piece)
    {
        var failure = Try(() => OpenFile().Write(piece.Bytes.AsSpan(0, piece.Size), piece.Place));
        lock (_lock)
        {
            _writing--;
            piece.IsWriting = false;
            _hasNoFile |= failure is not null;
            if (_isDisposed || piece.IsTaken)
            {
                ReleaseMemory(piece);
                Forget(piece);
            }
            else if (failure is not null || piece == _pieces.Peek())
            {
                Forget(piece);
            }
            else
            {
                ReleaseMemory(piece);
                piece.IsInFile = true;
            }

            CloseFileIfUnused();
        }

        room.Signal();
    }

    private void Load(Piece piece)
    {
        var failure = Try(() => _file!.Read(piece.Bytes.AsSpan(0, piece.Size), piece.Place));
        lock (_lock)
        {
            piece.Failure = failure;
            if (failure is null)
            {
                piece.IsInFile = false;
                Forget(piece);
            }
        }

        _loaded.Signal();
    }

    private SpoolFile OpenFile()
    {
        lock (_opening)
        {
            return _file ??= store.OpenFile();
        }
    }

    private Exception? Try(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            store.FileFailed(e);
            return e;
        }
    }

    private void Release(Piece piece)
    {
        piece.IsTaken = true;
        if (piece == _last)
        {
            _last = null;
        }

        // What is just being written is released by whoever writes it.
        if (!piece.IsWriting)
        {
            ReleaseMemory(piece);
            if (piece.IsInFile)
            {
                Forget(piece);
            }
        }
    }

    private void ReleaseMemory(Piece piece)
    {
        if (piece.Bytes is { } bytes)
        {
            piece.Bytes = null;
            store.Pieces.Return(bytes);
            if (!piece.IsInReserve)
            {
                _inMemory -= piece.Size;
                store.GiveMemory(piece.Size);
            }
        }
    }

    // Nothing of it is in the file any more.
    private void Forget(Piece piece) => _freePlaces.Push(piece.Place);

    private void CloseFileIfUnused()
    {
        if (!_isDisposed || _writing > 0)
        {
            return;
        }

        store.GiveMemory(_hasReserve ? PieceSize : 0);
        _hasReserve = false;
        store.GiveDisk(_fileLength);
        _fileLength = 0;
        if (_file is { } file)
        {
            // A long file takes its time to be given up.
            _file = null;
            store.Writers.Post(() => store.Close(file));
        }
    }

    private sealed class Piece(byte[] bytes, int size)
    {
        public byte[]? Bytes = bytes;
        public int Start;
        public int End;
        public long Place;
        public bool IsWriting;
        public bool IsInFile;
        public bool IsTaken;
        public bool IsInReserve;
        public Exception? Failure;

        public int Size => size;

        public bool IsFull => End == size;

        public ReadOnlyMemory<byte> Waiting => Bytes.AsMemory(Start, End - Start);
    }
}
