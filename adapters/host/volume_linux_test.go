package host

import "testing"

func TestVolume(t *testing.T) {
	if v := (Machine{}).Volume(t.TempDir()); v.Problem != "" || v.Type == "" || v.Free == 0 || v.Network {
		t.Errorf("%+v", v)
	}
	if v := (Machine{}).Volume("/missing"); v.Problem == "" {
		t.Errorf("a folder that is missing: %+v", v)
	}
	if v := (Machine{}).Volume("/dev/shm"); v.Type != "tmpfs" || !v.Passing {
		t.Errorf("/dev/shm: %+v", v)
	}
}

// Numbers of linux/magic.h and of the file systems themselves.
func TestKindOfVolume(t *testing.T) {
	for number, want := range map[uint32]string{0x6969: "nfs", 0xFF534D42: "cifs", 0xFE534D42: "smb2", 0x01021997: "9p", 0x65735546: "fuse"} {
		if v := volumeOf(number); v.Type != want || !v.Network || v.Passing {
			t.Errorf("%#x: %+v", number, v)
		}
	}
	for number, want := range map[uint32]string{0x01021994: "tmpfs", 0x794C7630: "overlay"} {
		if v := volumeOf(number); v.Type != want || v.Network || !v.Passing {
			t.Errorf("%#x: %+v", number, v)
		}
	}
	if v := volumeOf(0x1234); v.Type != "0x1234" || v.Network || v.Passing {
		t.Errorf("%+v", v)
	}
}
