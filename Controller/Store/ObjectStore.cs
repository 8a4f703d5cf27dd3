namespace Wunderproxy.Controller.Store;

/// <summary>Opens the store that the first argument of <c>run</c> names.</summary>
internal static class ObjectStore
{
    /// <summary>Opens a directory where the value contains a slash (<c>./store</c>, <c>/var/lib/store</c>), else an S3 bucket, which isn't contacted yet.</summary>
    /// <exception cref="StoreException">The directory is absent and not to be created, or can't be.</exception>
    /// <exception cref="ArgumentException">The endpoint is no usable URL.</exception>
    public static IObjectStore Open(string bucketOrDirectory, StoreOptions options) =>
        IsDirectory(bucketOrDirectory) ? DirectoryStore.Open(bucketOrDirectory, options) : S3Store.Open(bucketOrDirectory, options);

    /// <summary>Whether a value names a directory; a bucket's name has no slash and doesn't begin with a dot.</summary>
    public static bool IsDirectory(string bucketOrDirectory) => bucketOrDirectory.Contains('/') || bucketOrDirectory is "." or "..";
}
